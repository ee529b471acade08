/* SPDX-License-Identifier: Apache-2.0 */
/* Messages: the frame's head at each of its sizes, references, the count of bytes alive. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/net/frame.h"

static void heads_follow_the_length(void **state)
{
    (void)state;
    static const struct {
        size_t len;
        size_t head;
        unsigned char bytes[10];
    } cases[] = {
        {0, 2, {0x81, 0}},
        {125, 2, {0x81, 125}},
        {126, 4, {0x81, 126, 0, 126}},
        {65535, 4, {0x81, 126, 0xff, 0xff}},
        {65536, 10, {0x81, 127, 0, 0, 0, 0, 0, 1, 0, 0}},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        char *text = malloc(cases[i].len + 1);
        memset(text, 'x', cases[i].len + 1);
        struct net_msg *msg = net_msg_new_text(base_sv(text, cases[i].len));
        assert_non_null(msg);
        assert_int_equal(msg->head, cases[i].head);
        assert_int_equal(msg->len, cases[i].head + cases[i].len);
        assert_memory_equal(msg->bytes + msg->at, cases[i].bytes, cases[i].head);
        assert_true(base_sv_eq(net_msg_text(msg), base_sv(text, cases[i].len)));
        net_msg_unref(msg);
        free(text);
    }
    assert_int_equal(net_msg_alive(), 0);
}

static void parts_are_put_together(void **state)
{
    (void)state;
    const struct base_sv parts[] = {SV("{\"event\":"), SV_NULL, SV("{}"), SV("}")};
    struct net_msg *msg = net_msg_new_parts(parts, 4);
    assert_true(base_sv_eq(net_msg_text(msg), SV("{\"event\":{}}")));
    assert_ptr_equal(net_msg_ref(msg), msg);
    net_msg_unref(msg);
    assert_true(net_msg_alive() >= 12);
    net_msg_unref(msg);
    net_msg_unref(NULL);
    assert_int_equal(net_msg_alive(), 0);
}

static void close_frames_fit_a_control_frame(void **state)
{
    (void)state;
    char reason[200];
    memset(reason, 'a', sizeof(reason));
    memcpy(reason + 122, "\xc3\xa9", 2); /* a character across the cut */
    struct net_msg *msg = net_frame_new_close(1013, base_sv(reason, sizeof(reason)));
    const unsigned char *frame = msg->bytes + msg->at;
    assert_int_equal(frame[0], 0x88);
    assert_int_equal(frame[1], 2 + 122);
    assert_int_equal(frame[2] << 8 | frame[3], 1013);
    net_msg_unref(msg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(heads_follow_the_length),
        cmocka_unit_test(parts_are_put_together),
        cmocka_unit_test(close_frames_fit_a_control_frame),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
