/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "bridge/audit/chain.h"

enum { LINES = 4 };

static const char *const payloads[LINES] = {"{\"id\":1}", "{\"title\":\"a\\\"b\"}",
                                            "not json\nin two lines", "{}"};

struct log {
    struct base_buf text;
    struct base_sv lines[LINES];
};

static int setup(void **state)
{
    static struct log log;
    struct audit_chain chain;
    base_buf_init(&log.text, 1 << 20);
    audit_chain_begin(&chain);
    for (int i = 0; i < LINES; i++)
        assert_int_equal(audit_chain_add(&chain, i * 3, base_sv_from(payloads[i]), &log.text),
                         BASE_OK);
    struct base_sv rest = base_buf_sv(&log.text);
    for (int i = 0; i < LINES; i++)
        log.lines[i] = base_sv_split(&rest, '\n');
    assert_int_equal(rest.len, 0);
    *state = &log;
    return 0;
}

static int teardown(void **state)
{
    struct log *log = *state;
    base_buf_done(&log->text);
    return 0;
}

/* The place of the first line that does not follow; count if all do. */
static size_t first_fault(const struct base_sv *lines, size_t count, enum audit_fault *ret_fault)
{
    struct audit_chain chain;
    audit_chain_begin(&chain);
    *ret_fault = AUDIT_FINE;
    for (size_t i = 0; i < count; i++) {
        *ret_fault = audit_chain_follow(&chain, lines[i]);
        if (*ret_fault != AUDIT_FINE)
            return i;
    }
    return count;
}

static void what_was_written_follows(void **state)
{
    const struct log *log = *state;
    enum audit_fault fault;
    assert_int_equal(first_fault(log->lines, LINES, &fault), LINES);
    /* The hash of an own calculation: sha256(64 zeros + "0," + rest of the line). */
    assert_true(base_sv_starts(log->lines[0], SV("{\"offset\":0,\"hash\":\""
                                                 "ceea8400582d1904de0183c32063c089"
                                                 "0ef46899b620f4616268b783bc08c212\"")));
    assert_true(base_sv_starts(log->lines[2], SV("{\"offset\":6,")));
    struct audit_chain chain;
    assert_int_equal(audit_chain_resume(&chain, log->lines[2]), AUDIT_FINE);
    assert_int_equal(chain.offset, 6);
    assert_int_equal(audit_chain_follow(&chain, log->lines[3]), AUDIT_FINE);
}

static void removed_or_moved_lines_show(void **state)
{
    const struct log *log = *state;
    enum audit_fault fault;
    const struct base_sv *l = log->lines;
    const struct base_sv removed[] = {l[0], l[2], l[3]};
    assert_int_equal(first_fault(removed, 3, &fault), 1);
    assert_int_equal(fault, AUDIT_BROKEN);
    const struct base_sv moved[] = {l[0], l[2], l[1], l[3]};
    assert_int_equal(first_fault(moved, 4, &fault), 1);
    const struct base_sv twice[] = {l[0], l[0], l[1]};
    assert_int_equal(first_fault(twice, 3, &fault), 1);
    const struct base_sv headless[] = {l[1], l[2]};
    assert_int_equal(first_fault(headless, 2, &fault), 0);
}

/* Each byte of a line but its line end, changed by one bit. */
static void every_changed_byte_shows(void **state)
{
    const struct log *log = *state;
    char copy[512];
    for (size_t i = 0; i < log->lines[1].len; i++) {
        struct base_sv lines[LINES];
        enum audit_fault fault;
        memcpy(copy, log->lines[1].ptr, log->lines[1].len);
        copy[i] ^= 1;
        memcpy(lines, log->lines, sizeof(lines));
        lines[1].ptr = copy;
        size_t at = first_fault(lines, LINES, &fault);
        if (at != 1)
            fail_msg("byte %zu of the line was changed: noticed at %zu", i, at);
    }
}

static void every_prefix(void **state)
{
    const struct log *log = *state;
    for (size_t length = 0; length < log->lines[0].len; length++) {
        struct audit_chain chain;
        audit_chain_begin(&chain);
        assert_int_not_equal(audit_chain_follow(&chain, base_sv_sub(log->lines[0], 0, length)),
                             AUDIT_FINE);
        assert_int_equal(chain.offset, -1);
    }
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {TEST(what_was_written_follows),
                                       TEST(removed_or_moved_lines_show),
                                       TEST(every_changed_byte_shows), TEST(every_prefix)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
