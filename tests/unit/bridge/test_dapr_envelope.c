/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "bridge/bus/dapr_envelope.h"

#define EVENT                                                                                      \
    "{\"specversion\":\"1.0\",\"id\":\"i\",\"type\":\"task.created\",\"userid\":\"ann\","          \
    "\"userseq\":42,\"traceparent\":\"00-a-b-01\",\"data\":{\"n\":1}}"
#define META                                                                                       \
    "{\"__partition\":\"3\",\"__offset\":\"77\",\"__timestamp\":\"1700000000000\",\"__key\":"      \
    "\"x\"}"

static void a_bulk_is_taken_apart(void **state)
{
    static const char body[] =
        "{\"id\":\"b\",\"entries\":[{\"entryId\":\"0\",\"event\":" EVENT ",\"metadata\":" META
        "},{\"entryId\":\"1\",\"event\":\"text\"},{\"entryId\":\"2\",\"event\":{\"a\":1}}]}";
    struct dapr_envelope envelope;
    (void)state;
    assert_int_equal(dapr_envelope_read(base_sv_from(body), &envelope), BASE_OK);
    assert_true(envelope.bulk);
    assert_int_equal(envelope.count, 3);
    const struct dapr_entry *entry = &envelope.entries[0];
    assert_true(entry->fit && entry->placed);
    assert_true(base_sv_eq_c(entry->id, "0"));
    assert_int_equal(entry->record.partition, 3);
    assert_int_equal(entry->record.offset, 77);
    assert_int_equal(entry->record.at_ms, 1700000000000);
    assert_true(base_sv_eq_c(entry->record.key, "ann"));
    assert_true(base_sv_eq_c(entry->record.payload, EVENT));
    assert_true(base_sv_eq_c(bus_record_header(&entry->record, BUS_H_USERSEQ), "42"));
    assert_true(base_sv_eq_c(bus_record_header(&entry->record, BUS_H_TYPE), "task.created"));
    assert_true(base_sv_eq_c(bus_record_header(&entry->record, BUS_H_ID), "i"));
    assert_true(base_sv_eq_c(bus_record_header(&entry->record, BUS_H_TRACE), "00-a-b-01"));
    assert_false(envelope.entries[1].fit);
    assert_true(base_sv_eq_c(envelope.entries[1].id, "1"));
    assert_false(envelope.entries[2].fit);
    dapr_envelope_done(&envelope);
}

static void one_event_alone_is_not_placed(void **state)
{
    struct dapr_envelope envelope;
    (void)state;
    assert_int_equal(dapr_envelope_read(SV(EVENT), &envelope), BASE_OK);
    assert_false(envelope.bulk);
    assert_int_equal(envelope.count, 1);
    assert_true(envelope.entries[0].fit);
    assert_false(envelope.entries[0].placed);
    dapr_envelope_done(&envelope);
}

static void an_event_without_its_fields_is_not_fit(void **state)
{
    static const char *const events[] = {
        "{\"specversion\":\"1.0\"}",
        "{\"specversion\":\"1.0\",\"id\":\"i\",\"type\":\"t\",\"userid\":\"u\"}",
        "{\"specversion\":\"1.0\",\"id\":\"i\",\"type\":\"t\",\"userid\":\"u\",\"userseq\":0}",
        "{\"specversion\":\"1.0\",\"id\":\"i\",\"type\":\"t\",\"userid\":\"u\",\"userseq\":1.5}",
        "{\"specversion\":\"1.0\",\"id\":\"\",\"type\":\"t\",\"userid\":\"u\",\"userseq\":1}",
        "{\"specversion\":\"1.0\",\"id\":\"i\",\"type\":\"t\",\"userid\":\"\",\"userseq\":1}",
    };
    (void)state;
    for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
        struct dapr_envelope envelope;
        assert_int_equal(dapr_envelope_read(base_sv_from(events[i]), &envelope), BASE_OK);
        assert_false(envelope.entries[0].fit);
        dapr_envelope_done(&envelope);
    }
}

static void odd_places_are_none(void **state)
{
    static const char *const places[] = {"{}",
                                         "{\"__partition\":\"-1\",\"__offset\":\"1\"}",
                                         "{\"__partition\":\"9999999999\",\"__offset\":\"1\"}",
                                         "{\"__partition\":\"1\",\"__offset\":\"-5\"}",
                                         "{\"__partition\":1,\"__offset\":1}",
                                         "7"};
    (void)state;
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
        struct dapr_envelope envelope;
        struct base_buf body;
        base_buf_init(&body, 4096);
        base_buf_addf(&body, "{\"entries\":[{\"entryId\":\"0\",\"event\":%s,\"metadata\":%s}]}",
                      EVENT, places[i]);
        assert_int_equal(dapr_envelope_read(base_buf_sv(&body), &envelope), BASE_OK);
        assert_true(envelope.entries[0].fit);
        assert_false(envelope.entries[0].placed);
        assert_int_equal(envelope.entries[0].record.partition, 0);
        dapr_envelope_done(&envelope);
        base_buf_done(&body);
    }
}

static void every_cut_is_malformed(void **state)
{
    static const char body[] = "{\"entries\":[{\"entryId\":\"0\",\"event\":" EVENT "}]}";
    struct dapr_envelope envelope;
    (void)state;
    for (size_t n = 0; n < sizeof(body) - 1; n++)
        assert_int_equal(dapr_envelope_read(base_sv(body, n), &envelope), BASE_MALFORMED);
    assert_int_equal(dapr_envelope_read(SV("{\"x\":1}"), &envelope), BASE_MALFORMED);
    assert_int_equal(dapr_envelope_read(SV("[]"), &envelope), BASE_MALFORMED);
}

static void too_many_are_too_many(void **state)
{
    struct dapr_envelope envelope;
    struct base_buf body;
    (void)state;
    base_buf_init(&body, 1 << 20);
    base_buf_add_c(&body, "{\"entries\":[{}");
    for (int i = 0; i < DAPR_ENTRIES_MAX; i++)
        base_buf_add_c(&body, ",{}");
    base_buf_add_c(&body, "]}");
    assert_int_equal(dapr_envelope_read(base_buf_sv(&body), &envelope), BASE_TOO_LARGE);
    base_buf_done(&body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_bulk_is_taken_apart),
        cmocka_unit_test(one_event_alone_is_not_placed),
        cmocka_unit_test(an_event_without_its_fields_is_not_fit),
        cmocka_unit_test(odd_places_are_none),
        cmocka_unit_test(every_cut_is_malformed),
        cmocka_unit_test(too_many_are_too_many),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
