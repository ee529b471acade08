/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A line is composed in a fixed buffer on the stack and leaves in one write, so lines of threads
 * never mix and logging never allocates. A field that no longer fits is left out and "truncated"
 * says so.
 */
#include "lib/base/log.h"

#include <unistd.h>

#include "lib/base/clock.h"
#include "lib/base/json.h"
#include "lib/base/utf8.h"

enum { LINE_MAX_BYTES = 4096, VALUE_MAX_BYTES = 1024 };

static const char *const level_names[] = {"debug", "info", "warn", "error"};
_Static_assert(sizeof(level_names) / sizeof(level_names[0]) == BASE_LOG_LEVEL_COUNT, "a name each");

static struct {
    const char *service;
    const char *version;
    enum base_log_format format;
    _Atomic int level;
    int fd;
} settings = {.service = "todo", .version = "", .level = BASE_LOG_INFO, .fd = 2};

/* A buffer over the caller's array: full, it fails, and never grows. */
static struct base_buf over(char *array, size_t size)
{
    return (struct base_buf){.data = array, .cap = size, .max = size - 1};
}

void base_log_init(const char *service, const char *version, enum base_log_format format)
{
    settings.service = service;
    settings.version = version;
    settings.format = format;
}

void base_log_set_level(enum base_log_level level)
{
    settings.level = (int)level;
}

void base_log_set_fd(int fd)
{
    settings.fd = fd;
}

bool base_log_level_parse(struct base_sv text, enum base_log_level *ret_level)
{
    for (int i = 0; i < BASE_LOG_LEVEL_COUNT; i++) {
        if (!base_sv_eq_c(text, level_names[i]))
            continue;
        *ret_level = (enum base_log_level)i;
        return true;
    }
    return false;
}

bool base_log_enabled(enum base_log_level level)
{
    return (int)level >= settings.level;
}

/* Bytes that are no UTF-8 become '?', long values are cut: a log line is always valid JSON. */
static struct base_sv clean(struct base_sv value, char scratch[VALUE_MAX_BYTES])
{
    if (base_utf8_valid(value))
        return base_utf8_cut(value, VALUE_MAX_BYTES);
    size_t n = value.len < VALUE_MAX_BYTES ? value.len : VALUE_MAX_BYTES;
    for (size_t i = 0; i < n; i++)
        scratch[i] = (unsigned char)value.ptr[i] < 0x80 ? value.ptr[i] : '?';
    return base_sv(scratch, n);
}

static void json_trace(struct base_buf *line, const struct base_trace *trace)
{
    char text[BASE_TRACEPARENT_TEXT + 1];
    if (!trace || base_trace_is_null(trace))
        return;
    base_trace_format(trace, text);
    base_json_kv_str(line, "trace_id", base_sv(text + 3, 32));
    base_json_kv_str(line, "span_id", base_sv(text + 36, 16));
}

static void json_field(struct base_buf *line, const struct base_log_field *field)
{
    char scratch[VALUE_MAX_BYTES];
    switch (field->type) {
    case BASE_LOG_T_SV:
        base_json_kv_str(line, field->key, clean(field->sv, scratch));
        break;
    case BASE_LOG_T_INT:
        base_json_kv_int(line, field->key, field->i);
        break;
    case BASE_LOG_T_BOOL:
        base_json_kv_bool(line, field->key, field->b);
        break;
    case BASE_LOG_T_TRACE:
        json_trace(line, field->trace);
        break;
    case BASE_LOG_T_NONE:
        break;
    }
}

/* Room for the closing brace and the remark is kept free. */
static void json_line(struct base_buf *line, enum base_log_level level, const char *event,
                      const struct base_log_field *fields, size_t n)
{
    static const char remark[] = ",\"truncated\":true}\n";
    line->max -= sizeof(remark);
    base_json_open(line, '{');
    base_json_kv_time(line, "time", base_clock_now_us(&base_clock_system));
    base_json_kv_str(line, "level", base_sv_from(level_names[level]));
    base_json_kv_str(line, "service", base_sv_from(settings.service));
    base_json_kv_str(line, "event", base_sv_from(event));
    for (size_t i = 0; i < n && base_buf_ok(line); i++) {
        size_t before = line->len;
        json_field(line, &fields[i]);
        if (!base_buf_ok(line))
            base_buf_truncate(line, before);
    }
    bool cut = !base_buf_ok(line);
    line->failed = false;
    line->max += sizeof(remark);
    base_buf_add_c(line, cut ? remark : "}\n");
}

/* A value that could be taken for something else on a terminal stands in quotes, escaped. */
static void text_value(struct base_buf *line, struct base_sv value)
{
    bool plain = value.len > 0;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        plain = plain && c > ' ' && c < 0x7f && c != '"' && c != '=';
    }
    if (plain) {
        base_buf_add(line, value);
        return;
    }
    /* Not base_json_str: there a comma would be due. */
    base_buf_add_char(line, '"');
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c < ' ' || c == 0x7f || c == '"' || c == '\\')
            base_buf_addf(line, "\\x%02x", c);
        else
            base_buf_add_char(line, (char)c);
    }
    base_buf_add_char(line, '"');
}

static void text_field(struct base_buf *line, const struct base_log_field *field)
{
    char scratch[VALUE_MAX_BYTES];
    if (field->type == BASE_LOG_T_SV) {
        base_buf_addf(line, " %s=", field->key);
        text_value(line, clean(field->sv, scratch));
    } else if (field->type == BASE_LOG_T_INT) {
        base_buf_addf(line, " %s=%lld", field->key, (long long)field->i);
    } else if (field->type == BASE_LOG_T_BOOL) {
        base_buf_addf(line, " %s=%s", field->key, field->b ? "true" : "false");
    } else if (field->type == BASE_LOG_T_TRACE && field->trace &&
               !base_trace_is_null(field->trace)) {
        char text[BASE_TRACEPARENT_TEXT + 1];
        base_trace_format(field->trace, text);
        base_buf_addf(line, " trace_id=%.32s", text + 3);
    }
}

static void text_line(struct base_buf *line, enum base_log_level level, const char *event,
                      const struct base_log_field *fields, size_t n)
{
    static const char remark[] = " truncated=true\n";
    line->max -= sizeof(remark);
    base_time_format(line, base_clock_now_us(&base_clock_system));
    base_buf_addf(line, " %-5s %s", level_names[level], event);
    for (size_t i = 0; i < n && base_buf_ok(line); i++) {
        size_t before = line->len;
        text_field(line, &fields[i]);
        if (!base_buf_ok(line))
            base_buf_truncate(line, before);
    }
    bool cut = !base_buf_ok(line);
    line->failed = false;
    line->max += sizeof(remark);
    base_buf_add_c(line, cut ? remark : "\n");
}

void base_log_emit(enum base_log_level level, const char *event,
                   const struct base_log_field *fields, size_t n)
{
    char array[LINE_MAX_BYTES];
    struct base_buf line = over(array, sizeof(array));
    array[0] = '\0';
    if (settings.format == BASE_LOG_JSON)
        json_line(&line, level, event, fields, n);
    else
        text_line(&line, level, event, fields, n);
    ssize_t written = write(settings.fd, line.data, line.len);
    (void)written; /* there is nowhere else to say it */
}
