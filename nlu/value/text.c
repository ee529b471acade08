/* SPDX-License-Identifier: Apache-2.0 */
/* Values as text: ISO 8601, and RRULE for a repetition. */
#include "nlu/value/repeat.h"

static void format_point(struct base_buf *out, const struct nlu_value *v, struct time_civil at)
{
    if (!(v->flags & NLU_HAS_DATE))
        base_buf_addf(out, "%02d:%02d:%02d", at.hour, at.minute, at.second);
    else if (v->flags & NLU_HAS_TIME)
        time_civil_format(out, at);
    else
        time_date_format(out, at);
}

static void format_length(struct base_buf *out, const struct nlu_value *v)
{
    base_buf_add_char(out, 'P');
    if (v->months)
        base_buf_addf(out, "%d%c", v->months % 12 ? v->months : v->months / 12,
                      v->months % 12 ? 'M' : 'Y');
    if (v->seconds / 86400)
        base_buf_addf(out, "%lldD", (long long)(v->seconds / 86400));
    int64_t rest = v->seconds % 86400;
    if (rest || (!v->months && !v->seconds))
        base_buf_addf(out, "T%lldS", (long long)rest);
}

const char *nlu_value_format(struct base_buf *out, const struct nlu_value *v, struct time_civil now)
{
    struct nlu_value settled = *v;
    if ((v->flags & NLU_HALF_DAY) && !(v->flags & (NLU_HAS_DATE | NLU_RANGE))) {
        settled.from.hour = nlu_next_time(now, v).hour;
        v = &settled;
    }
    if (v->flags & NLU_SET) {
        struct nlu_set set = *v->set;
        struct time_civil first;
        bool has_time;
        nlu_set_settle(&set, now, &first, &has_time);
        nlu_set_format(out, &set);
        return "set";
    }
    if (!(v->flags & (NLU_HAS_DATE | NLU_HAS_TIME))) {
        format_length(out, v);
        return "duration";
    }
    if (v->flags & (NLU_RANGE | NLU_NO_FROM | NLU_NO_TO)) {
        if (!(v->flags & NLU_NO_FROM))
            format_point(out, v, v->from);
        base_buf_add_char(out, '/');
        if (!(v->flags & NLU_NO_TO))
            format_point(out, v, v->to);
        return "range";
    }
    format_point(out, v, v->from);
    return !(v->flags & NLU_HAS_DATE) ? "time" : v->flags & NLU_HAS_TIME ? "datetime" : "date";
}
