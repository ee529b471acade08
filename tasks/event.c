/* SPDX-License-Identifier: Apache-2.0 */
/* The event table and the envelope. */
#include "tasks/event.h"

static const struct {
    const char *name;
    enum task_event_topic topic;
} rows[] = {
#define X(name, number, wire, topic) [number] = {wire, TASK_TOPIC_##topic},
#include "tasks/events.def"
#undef X
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

const char *task_event_name(int type)
{
    return type > 0 && type < ROWS ? rows[type].name : NULL;
}

enum task_event_topic task_event_topic(int type)
{
    return type > 0 && type < ROWS ? rows[type].topic : TASK_TOPIC_NONE;
}

int task_event_parse(struct base_sv name)
{
    for (int i = 1; i < ROWS; i++)
        if (rows[i].name && base_sv_eq_c(name, rows[i].name))
            return i;
    return 0;
}

void task_event_begin(struct base_buf *buf, const struct task_event_head *head)
{
    char id[BASE_ID_TEXT + 1];
    base_id_text(head->id, id);
    base_json_open(buf, '{');
    base_json_kv_str(buf, "specversion", SV("1.0"));
    base_json_kv_str(buf, "id", base_sv_from(id));
    base_json_kv_str(buf, "source", SV("/todo-chatbot/tasks"));
    base_json_kv_str(buf, "type", base_sv_from(task_event_name(head->type)));
    base_json_kv_opt(buf, "subject", head->subject);
    base_json_kv_time(buf, "time", head->time_us);
    base_json_kv_str(buf, "datacontenttype", SV("application/json"));
    base_json_kv_str(buf, "userid", head->user_id);
    if (head->trace && !base_trace_is_null(head->trace)) {
        char text[BASE_TRACEPARENT_TEXT + 1];
        base_trace_format(head->trace, text);
        base_json_kv_str(buf, "traceparent", base_sv_from(text));
    }
    base_json_key(buf, "data");
}

void task_event_end(struct base_buf *buf)
{
    base_json_close(buf, '}');
}

void task_event_number(struct base_buf *buf, struct base_sv stored, int64_t user_seq)
{
    base_buf_add(buf, SV("{\"userseq\":"));
    base_buf_add_int(buf, user_seq);
    base_buf_add_char(buf, ',');
    base_buf_add(buf, base_sv_sub(stored, 1, stored.len));
}

#define HEAD "{\"specversion\":\"1.0\",\"id\":\""

bool task_event_id(struct base_sv stored, struct base_id *ret_id)
{
    size_t start = sizeof(HEAD) - 1;
    return base_sv_starts(stored, SV(HEAD)) && stored.len > start + BASE_ID_TEXT &&
           base_id_parse(base_sv_sub(stored, start, start + BASE_ID_TEXT), ret_id);
}

bool task_event_trace(struct base_sv stored, struct base_trace *ret_trace)
{
    /* The last field before data; user text with quotes in it is escaped, so neither key can
     * appear earlier. */
    static const char key[] = "\"traceparent\":\"";
    const char *data = memmem(stored.ptr, stored.len, "\"data\":", 7);
    struct base_sv head = base_sv_sub(stored, 0, data ? (size_t)(data - stored.ptr) : 0);
    const char *at = memmem(head.ptr, head.len, key, sizeof(key) - 1);
    if (!at)
        return false;
    size_t start = (size_t)(at - head.ptr) + sizeof(key) - 1;
    return base_trace_parse(base_sv_sub(head, start, start + BASE_TRACEPARENT_TEXT), ret_trace);
}
