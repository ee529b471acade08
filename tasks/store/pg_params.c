/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parameters in PostgreSQL's binary format, so that no text from outside is ever escaped or quoted.
 * An array is: dimensions, flags, element type, length, lower bound, then each element with its
 * length.
 */
#include "tasks/store/pg_params.h"

#include <assert.h>
#include <stdlib.h>

#include "tasks/store/pg.h"

enum { ARRAY_HEAD = 20, EPOCH_2000_S = 946684800 };

enum base_err pg_params_new(size_t max_bytes, struct pg_params **ret_params)
{
    struct pg_params *params = calloc(1, sizeof(*params));
    if (!params)
        return BASE_NO_MEMORY;
    base_buf_init(&params->bytes, max_bytes);
    *ret_params = params;
    return BASE_OK;
}

void pg_params_free(struct pg_params *params)
{
    if (!params)
        return;
    base_buf_done(&params->bytes);
    free(params);
}

void pg_params_reset(struct pg_params *params)
{
    base_buf_reset(&params->bytes);
    params->count = 0;
    params->array_type = 0;
}

static void put_be(struct base_buf *buf, uint64_t value, size_t width)
{
    char bytes[8];
    for (size_t i = 0; i < width; i++)
        bytes[i] = (char)(value >> (8 * (width - 1 - i)));
    base_buf_add(buf, base_sv(bytes, width));
}

/* Opens the next parameter; its bytes follow, then end_param. */
static void begin_param(struct pg_params *params)
{
    assert(params->count < PG_PARAMS_MAX && !params->array_type);
    params->offset[params->count] = params->bytes.len;
}

static void end_param(struct pg_params *params)
{
    params->length[params->count] = (int)(params->bytes.len - params->offset[params->count]);
    params->count++;
}

void pg_add_text(struct pg_params *params, struct base_sv text)
{
    begin_param(params);
    base_buf_add(&params->bytes, text);
    end_param(params);
}

void pg_add_null(struct pg_params *params)
{
    begin_param(params);
    end_param(params);
    params->length[params->count - 1] = -1;
}

static void add_number(struct pg_params *params, int64_t value, size_t width)
{
    begin_param(params);
    put_be(&params->bytes, (uint64_t)value, width);
    end_param(params);
}

void pg_add_int4(struct pg_params *params, int32_t value)
{
    add_number(params, value, 4);
}

void pg_add_int8(struct pg_params *params, int64_t value)
{
    add_number(params, value, 8);
}

static int64_t to_pg_time(int64_t at_us)
{
    return at_us - (int64_t)EPOCH_2000_S * 1000000;
}

void pg_add_time(struct pg_params *params, int64_t at_us)
{
    add_number(params, to_pg_time(at_us), 8);
}

void pg_add_id(struct pg_params *params, struct base_id id)
{
    pg_add_text(params, base_sv((const char *)id.bytes, sizeof(id.bytes)));
}

void pg_array_begin(struct pg_params *params, enum pg_type type)
{
    begin_param(params);
    params->array_type = (int)type;
    params->array_count = 0;
    put_be(&params->bytes, 1, 4);
    put_be(&params->bytes, 1, 4); /* may hold nulls */
    put_be(&params->bytes, (uint64_t)type, 4);
    put_be(&params->bytes, 0, 4); /* the length, known at the end */
    put_be(&params->bytes, 1, 4);
}

static void element(struct pg_params *params, struct base_sv bytes)
{
    assert(params->array_type);
    put_be(&params->bytes, bytes.len, 4);
    base_buf_add(&params->bytes, bytes);
    params->array_count++;
}

void pg_array_text(struct pg_params *params, struct base_sv text)
{
    element(params, text);
}

void pg_array_null(struct pg_params *params)
{
    put_be(&params->bytes, UINT32_MAX, 4);
    params->array_count++;
}

static size_t width_of(int type)
{
    switch (type) {
    case PG_BOOL:
        return 1;
    case PG_INT2:
        return 2;
    case PG_INT4:
        return 4;
    default:
        return 8;
    }
}

void pg_array_int(struct pg_params *params, int64_t value)
{
    size_t width = width_of(params->array_type);
    put_be(&params->bytes, width, 4);
    put_be(&params->bytes, (uint64_t)value, width);
    params->array_count++;
}

void pg_array_id(struct pg_params *params, struct base_id id)
{
    element(params, base_sv((const char *)id.bytes, sizeof(id.bytes)));
}

void pg_array_time(struct pg_params *params, int64_t at_us)
{
    pg_array_int(params, to_pg_time(at_us));
}

void pg_array_end(struct pg_params *params)
{
    assert(params->array_type);
    params->array_type = 0;
    if (base_buf_ok(&params->bytes)) {
        char *head = params->bytes.data + params->offset[params->count];
        uint32_t n = (uint32_t)params->array_count;
        for (size_t i = 0; i < 4; i++)
            head[12 + i] = (char)(n >> (24 - 8 * i));
        if (n == 0) { /* an empty array has no dimension */
            head[3] = 0;
            base_buf_truncate(&params->bytes, params->offset[params->count] + ARRAY_HEAD - 8);
        }
    }
    end_param(params);
}

/* Reading. Sizes are checked: a result that is not what the statement promises reads as zero. */

static int64_t read_be(const PGresult *result, int row, int column)
{
    const unsigned char *at = (const unsigned char *)PQgetvalue(result, row, column);
    int width = PQgetlength(result, row, column);
    if (width < 1 || width > 8)
        return 0;
    uint64_t value = at[0] & 0x80 ? UINT64_MAX : 0;
    for (int i = 0; i < width; i++)
        value = value << 8 | at[i];
    return (int64_t)value;
}

bool pg_is_null(const PGresult *result, int row, int column)
{
    return PQgetisnull(result, row, column);
}

struct base_sv pg_text(const PGresult *result, int row, int column)
{
    return base_sv(PQgetvalue(result, row, column), (size_t)PQgetlength(result, row, column));
}

int64_t pg_int(const PGresult *result, int row, int column)
{
    return read_be(result, row, column);
}

struct base_id pg_id(const PGresult *result, int row, int column)
{
    struct base_id id = {0};
    if (PQgetlength(result, row, column) == (int)sizeof(id.bytes))
        memcpy(id.bytes, PQgetvalue(result, row, column), sizeof(id.bytes));
    return id;
}

int64_t pg_time_us(const PGresult *result, int row, int column)
{
    return read_be(result, row, column) + (int64_t)EPOCH_2000_S * 1000000;
}

const char *pg_sqlstate(const PGresult *result)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;
    return state ? state : "";
}
