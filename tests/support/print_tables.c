/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the reference pages that are made from tables: "configuration" or "metrics". docs/ holds
 * what it prints, and a test compares. */
#include <stdio.h>
#include <string.h>

#include "bridge/config.h"
#include "gateway/config.h"
#include "lib/base/metrics.h"

enum { PAGE_MAX = 1 << 20 };

static void configuration(struct base_buf *page)
{
    base_buf_add_c(
        page, "# Configuration\n\n"
              "Made from `gateway/config.def` and `bridge/config.def` by `scripts/dev docs`; do "
              "not edit.\n\n"
              "Every key can stand in a file (`key = value`, `#` comments), in the environment "
              "(`TODO_` + the key in "
              "capitals, `_` for `.`) and on the command line (`--key=value`); the later wins. A "
              "secret is better given as "
              "`key.file`, which names a file that holds it. `--check-config` tells everything "
              "that is wrong, "
              "`--print-config` shows what is in force. Keys marked for reload follow SIGHUP.\n\n"
              "## todo-gateway\n\n");
    base_config_markdown(&gw_config_table, page);
    base_buf_add_c(page, "\n## todo-bridge\n\n");
    base_config_markdown(&bridge_config_table, page);
}

static void metrics(struct base_buf *page)
{
    base_buf_add_c(page, "# Metrics\n\n"
                         "Made from `lib/base/metrics.def` by `scripts/dev docs`; do not edit.\n\n"
                         "Both daemons serve them in Prometheus' text format at `/metrics` on "
                         "their internal listener.\n\n");
    base_metrics_markdown(page);
}

int main(int argc, char **argv)
{
    struct base_buf page;
    base_buf_init(&page, PAGE_MAX);
    if (argc == 2 && strcmp(argv[1], "configuration") == 0)
        configuration(&page);
    else if (argc == 2 && strcmp(argv[1], "metrics") == 0)
        metrics(&page);
    else
        return 2;
    bool ok = base_buf_ok(&page) && fwrite(page.data, 1, page.len, stdout) == page.len;
    base_buf_done(&page);
    return ok ? 0 : 1;
}
