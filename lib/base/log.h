/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Structured log: an event name and typed fields, one JSON object a line on standard error
 * (or "key=value" text for a terminal). Never user text or a secret at info or above: log ids,
 * lengths and codes. Thread-safe; a line is one write().
 *
 *     LOG_INFO("gateway.listening", LOG_STR("address", addr), LOG_INT("port", port));
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include "lib/base/err.h"
#include "lib/base/sv.h"
#include "lib/base/trace.h"

enum base_log_level {
    BASE_LOG_DEBUG,
    BASE_LOG_INFO,
    BASE_LOG_WARN,
    BASE_LOG_ERROR,
    BASE_LOG_LEVEL_COUNT
};

enum base_log_format { BASE_LOG_JSON, BASE_LOG_TEXT };

enum base_log_type {
    BASE_LOG_T_NONE, /* skipped */
    BASE_LOG_T_SV,
    BASE_LOG_T_INT,
    BASE_LOG_T_BOOL,
    BASE_LOG_T_TRACE, /* writes trace_id and span_id; NULL or null trace writes nothing */
};

struct base_log_field {
    const char *key;
    enum base_log_type type;
    union {
        struct base_sv sv;
        int64_t i;
        bool b;
        const struct base_trace *trace;
    };
};

#define LOG_SV(k, v)                                                                               \
    {                                                                                              \
        .key = (k), .type = BASE_LOG_T_SV, .sv = (v)                                               \
    }
#define LOG_STR(k, v)                                                                              \
    {                                                                                              \
        .key = (k), .type = BASE_LOG_T_SV, .sv = base_sv_from(v)                                   \
    }
#define LOG_INT(k, v)                                                                              \
    {                                                                                              \
        .key = (k), .type = BASE_LOG_T_INT, .i = (int64_t)(v)                                      \
    }
#define LOG_BOOL(k, v)                                                                             \
    {                                                                                              \
        .key = (k), .type = BASE_LOG_T_BOOL, .b = (v)                                              \
    }
#define LOG_ERR(e)                                                                                 \
    {                                                                                              \
        .key = "error", .type = BASE_LOG_T_SV, .sv = base_sv_from(base_err_code(e))                \
    }
#define LOG_TRACE(t)                                                                               \
    {                                                                                              \
        .key = "trace_id", .type = BASE_LOG_T_TRACE, .trace = (t)                                  \
    }

/* Process-wide settings, made once by main() before threads start; level may be changed later. */
void base_log_init(const char *service, const char *version, enum base_log_format format);
void base_log_set_level(enum base_log_level level);
bool base_log_level_parse(struct base_sv text, enum base_log_level *ret_level);
bool base_log_enabled(enum base_log_level level);
/* Where lines go; 2 by default. For tests. */
void base_log_set_fd(int fd);

void base_log_emit(enum base_log_level level, const char *event,
                   const struct base_log_field *fields, size_t n);

#define BASE_LOG_AT(level, event, ...)                                                             \
    do {                                                                                           \
        if (base_log_enabled(level)) {                                                             \
            const struct base_log_field log_fields_[] = {{.type = BASE_LOG_T_NONE},                \
                                                         ##__VA_ARGS__};                           \
            base_log_emit((level), (event), log_fields_,                                           \
                          sizeof(log_fields_) / sizeof(log_fields_[0]));                           \
        }                                                                                          \
    } while (0)
#define LOG_DEBUG(event, ...) BASE_LOG_AT(BASE_LOG_DEBUG, event, ##__VA_ARGS__)
#define LOG_INFO(event, ...) BASE_LOG_AT(BASE_LOG_INFO, event, ##__VA_ARGS__)
#define LOG_WARN(event, ...) BASE_LOG_AT(BASE_LOG_WARN, event, ##__VA_ARGS__)
#define LOG_ERROR(event, ...) BASE_LOG_AT(BASE_LOG_ERROR, event, ##__VA_ARGS__)

#endif
