/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the store's statements as JSON lines {"name", "sql"}: a test looks at their plans. */
#include <stdio.h>

#include "lib/base/json.h"
#include "tasks/store/fire_batch.h"
#include "tasks/store/store_private.h"

enum { LINE_MAX_BYTES = 64 * 1024 };

static void print(const struct pg_statement *statements, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct base_buf line;
        base_buf_init(&line, LINE_MAX_BYTES);
        base_json_open(&line, '{');
        base_json_kv_str(&line, "name", base_sv_from(statements[i].name));
        base_json_kv_str(&line, "sql", base_sv_from(statements[i].sql));
        base_json_close(&line, '}');
        (void)puts(line.data);
        base_buf_done(&line);
    }
}

int main(void)
{
    print(store_turn_statements, STORE_TURN_STATEMENTS);
    print(store_read_statements, STORE_READ_STATEMENTS);
    print(store_review_statements, STORE_REVIEW_STATEMENTS);
    print(store_receipt_statements, STORE_RECEIPT_STATEMENTS);
    print(fire_statements, FIRE_STATEMENTS);
    return 0;
}
