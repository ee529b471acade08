/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "bridge/audit/chain.h"
#include "bridge/audit/writer.h"

struct tester {
    char dir[64];
    struct audit_writer *writer;
    struct audit_batch batch;
    struct audit_record records[16];
    int incarnation; /* of the topic: its records differ */
};

static int setup(void **state)
{
    struct tester *t = calloc(1, sizeof(*t));
    (void)snprintf(t->dir, sizeof(t->dir), "/tmp/audit-test-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    t->batch.records = t->records;
    base_buf_init(&t->batch.payloads, 1 << 20);
    assert_int_equal(audit_writer_new(t->dir, &t->writer), BASE_OK);
    *state = t;
    return 0;
}

static void path_of(const struct tester *t, const char *name, char *path, size_t cap)
{
    (void)snprintf(path, cap, "%s/%s", t->dir, name);
}

static int teardown(void **state)
{
    static const char *const names[] = {"reminders-0.log", "reminders-1.log", "task-events-0.log",
                                        "reminders-0.1.log", "reminders-0.2.log"};
    struct tester *t = *state;
    char path[128];
    audit_writer_free(t->writer);
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        path_of(t, names[i], path, sizeof(path));
        (void)unlink(path);
    }
    (void)chmod(t->dir, 0700);
    assert_int_equal(rmdir(t->dir), 0);
    base_buf_done(&t->batch.payloads);
    free(t);
    return 0;
}

static void add(struct tester *t, const char *topic, int partition, int64_t offset)
{
    char payload[64];
    (void)snprintf(payload, sizeof(payload), "{\"n\":%lld,\"topic\":%d}", (long long)offset,
                   t->incarnation);
    t->records[t->batch.count++] = (struct audit_record){.topic = topic,
                                                         .partition = partition,
                                                         .offset = offset,
                                                         .at = t->batch.payloads.len,
                                                         .length = strlen(payload)};
    base_buf_add_c(&t->batch.payloads, payload);
}

static enum audit_progress write_batch(struct tester *t, struct audit_writer *writer)
{
    const struct timespec moment = {.tv_nsec = 1000000};
    const char *why;
    enum audit_progress progress;
    audit_writer_write(writer, &t->batch);
    while ((progress = audit_writer_poll(writer, &why)) == AUDIT_WRITING)
        (void)nanosleep(&moment, NULL);
    if (progress == AUDIT_FAILED)
        assert_true(strlen(why) > 10);
    assert_int_equal(audit_writer_poll(writer, &why), AUDIT_IDLE);
    t->batch.count = 0;
    base_buf_reset(&t->batch.payloads);
    return progress;
}

/* The offsets of a log's lines, as text; all must follow. */
static void expect_log(const struct tester *t, const char *name, const char *offsets)
{
    char path[128], line[512], got[128] = "";
    struct audit_chain chain;
    path_of(t, name, path, sizeof(path));
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    audit_chain_begin(&chain);
    while (fgets(line, sizeof(line), file)) {
        size_t length = strlen(line);
        assert_int_equal(line[length - 1], '\n');
        assert_int_equal(audit_chain_follow(&chain, base_sv(line, length - 1)), AUDIT_FINE);
        size_t used = strlen(got);
        (void)snprintf(got + used, sizeof(got) - used, "%lld ", (long long)chain.offset);
    }
    (void)fclose(file);
    assert_string_equal(got, offsets);
}

static void each_record_once(void **state)
{
    struct tester *t = *state;
    add(t, "reminders", 0, 5);
    add(t, "task-events", 0, 1);
    add(t, "reminders", 1, 9);
    add(t, "reminders", 0, 7);
    assert_int_equal(write_batch(t, t->writer), AUDIT_WRITTEN);
    add(t, "reminders", 0, 5);
    add(t, "reminders", 0, 7);
    add(t, "reminders", 0, 8);
    assert_int_equal(write_batch(t, t->writer), AUDIT_WRITTEN);
    expect_log(t, "reminders-0.log", "5 7 8 ");
    expect_log(t, "reminders-1.log", "9 ");
    expect_log(t, "task-events-0.log", "1 ");
}

/* Two processes take turns, as when partitions move; and one crashes in the middle of a line. */
static void another_writer_goes_on_where_one_ended(void **state)
{
    struct tester *t = *state;
    struct audit_writer *other;
    char path[128];
    assert_int_equal(audit_writer_new(t->dir, &other), BASE_OK);
    add(t, "reminders", 0, 1);
    assert_int_equal(write_batch(t, t->writer), AUDIT_WRITTEN);
    add(t, "reminders", 0, 1);
    add(t, "reminders", 0, 2);
    assert_int_equal(write_batch(t, other), AUDIT_WRITTEN);
    add(t, "reminders", 0, 2);
    add(t, "reminders", 0, 3);
    assert_int_equal(write_batch(t, t->writer), AUDIT_WRITTEN);
    path_of(t, "reminders-0.log", path, sizeof(path));
    int fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "{\"offset\":4,\"ha", 15), 15);
    (void)close(fd);
    add(t, "reminders", 0, 4);
    assert_int_equal(write_batch(t, other), AUDIT_WRITTEN);
    audit_writer_free(other);
    expect_log(t, "reminders-0.log", "1 2 3 4 ");
}

static void a_failed_write_is_made_up_for(void **state)
{
    struct tester *t = *state;
    char path[128];
    add(t, "reminders", 0, 1);
    assert_int_equal(write_batch(t, t->writer), AUDIT_WRITTEN);
    /* A folder where the file should be. */
    path_of(t, "reminders-1.log", path, sizeof(path));
    assert_int_equal(mkdir(path, 0700), 0);
    add(t, "reminders", 0, 2);
    add(t, "reminders", 1, 1);
    assert_int_equal(write_batch(t, t->writer), AUDIT_FAILED);
    assert_int_equal(rmdir(path), 0);
    add(t, "reminders", 0, 2);
    add(t, "reminders", 1, 1);
    assert_int_equal(write_batch(t, t->writer), AUDIT_WRITTEN);
    expect_log(t, "reminders-0.log", "1 2 ");
    expect_log(t, "reminders-1.log", "1 ");
}

static void a_log_that_ends_in_something_else_is_not_continued(void **state)
{
    struct tester *t = *state;
    char path[128];
    path_of(t, "reminders-0.log", path, sizeof(path));
    FILE *file = fopen(path, "we");
    (void)fputs("hello\n", file);
    (void)fclose(file);
    add(t, "reminders", 0, 1);
    assert_int_equal(write_batch(t, t->writer), AUDIT_FAILED);
}

static void a_topic_made_anew_gets_a_new_log(void **state)
{
    struct tester *t = *state;
    struct audit_writer *other;
    assert_int_equal(audit_writer_new(t->dir, &other), BASE_OK);
    for (int64_t offset = 0; offset < 9; offset++)
        add(t, "reminders", 0, offset);
    assert_int_equal(write_batch(t, t->writer), AUDIT_WRITTEN);
    add(t, "reminders", 0, 9);
    assert_int_equal(write_batch(t, other), AUDIT_WRITTEN);
    add(t, "reminders", 0, 3); /* the same once more */
    add(t, "reminders", 0, 10);
    assert_int_equal(write_batch(t, t->writer), AUDIT_WRITTEN);
    expect_log(t, "reminders-0.log", "0 1 2 3 4 5 6 7 8 9 10 ");
    t->incarnation = 1;
    add(t, "reminders", 0, 0);
    add(t, "reminders", 0, 1);
    assert_int_equal(write_batch(t, t->writer), AUDIT_WRITTEN);
    add(t, "reminders", 0, 2); /* by a process that had the old file open */
    assert_int_equal(write_batch(t, other), AUDIT_WRITTEN);
    expect_log(t, "reminders-0.1.log", "0 1 2 3 4 5 6 7 8 9 10 ");
    expect_log(t, "reminders-0.log", "0 1 2 ");
    t->incarnation = 2;
    add(t, "reminders", 0, 2);
    assert_int_equal(write_batch(t, t->writer), AUDIT_WRITTEN);
    expect_log(t, "reminders-0.2.log", "0 1 2 ");
    expect_log(t, "reminders-0.log", "2 ");
    audit_writer_free(other);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(each_record_once), TEST(a_topic_made_anew_gets_a_new_log),
        TEST(another_writer_goes_on_where_one_ended), TEST(a_failed_write_is_made_up_for),
        TEST(a_log_that_ends_in_something_else_is_not_continued)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
