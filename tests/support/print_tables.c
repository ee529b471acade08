/* SPDX-License-Identifier: Apache-2.0 */
/* Prints the reference pages that are made from tables; docs/ holds what it prints, and a test
 * compares. The argument is a page's path in docs/ without its ending. */
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

/* Manual pages, in the man(7) macros. */

static void man_text(struct base_buf *page, const char *text)
{
    for (const char *c = text; *c; c++) {
        if (*c == '\\' || *c == '-')
            base_buf_add_char(page, '\\');
        base_buf_add_char(page, *c);
        if (*c == '\\')
            base_buf_add_char(page, 'e');
    }
}

static void man_keys(struct base_buf *page, const struct base_config_table *table)
{
    for (size_t i = 0; i < table->count; i++) {
        const struct base_config_key *key = &table->keys[i];
        base_buf_add_c(page, ".TP\n.B ");
        man_text(page, key->key);
        base_buf_add_c(page, "\n");
        man_text(page, key->help);
        if (key->choices) {
            base_buf_add_c(page, " (");
            man_text(page, key->choices);
            base_buf_add_c(page, ")");
        }
        if (key->fallback && *key->fallback) {
            base_buf_add_c(page, ". Default: ");
            man_text(page, key->fallback);
        }
        base_buf_add_c(page, key->flags & BASE_CONFIG_RELOAD ? ". Follows SIGHUP.\n" : ".\n");
    }
}

static void man_daemon(struct base_buf *page, const char *name, const char *what,
                       const char *description, const struct base_config_table *table)
{
    base_buf_addf(page,
                  ".\\\" Made from the configuration tables by scripts/dev docs; do not edit.\n"
                  ".TH %s 8 \"\" \"Todo Chatbot\"\n.SH NAME\n%s \\- %s\n"
                  ".SH SYNOPSIS\n.B %s\n[\\-\\-config FILE] [\\-\\-KEY=VALUE ...]\n.br\n"
                  ".B %s\n\\-\\-check\\-config | \\-\\-print\\-config | \\-\\-help | "
                  "\\-\\-version\n"
                  ".SH DESCRIPTION\n%s\n",
                  name, name, what, name, name, description);
    base_buf_add_c(page,
                   ".SH SETTINGS\nEach can stand in the file (key = value, # comments), in the "
                   "environment (TODO_ and the key in capitals, _ for .) and on the command line "
                   "(\\-\\-key=value); the later wins. A secret is better given as key.file, which "
                   "names a file that holds it.\n");
    man_keys(page, table);
    base_buf_add_c(page,
                   ".SH SIGNALS\n.TP\n.B SIGTERM, SIGINT\nfinishes what is under way and ends; a "
                   "second one ends at once.\n.TP\n.B SIGHUP\nreads again the settings that follow "
                   "it; if anything is wrong, nothing changes.\n"
                   ".SH EXIT STATUS\n0: ended as asked. 1: could not start, or broke. 2: wrong "
                   "arguments or configuration.\n"
                   ".SH SEE ALSO\n.BR todo\\-gateway (8),\n.BR todo\\-bridge (8),\n"
                   ".BR todo\\-admin (8),\n.BR todo\\-nlu (1)\n");
}

static void man_gateway(struct base_buf *page)
{
    man_daemon(
        page, "todo-gateway", "chat, REST and MQTT commands of a to\\-do chatbot",
        "Takes chat lines and actions by WebSocket (/ws), REST (/api/v1) and MQTT, understands "
        "them, changes tasks in PostgreSQL and hands every event of a user to all of the "
        "user's sessions. Any number may run side by side.",
        &gw_config_table);
}

static void man_bridge(struct base_buf *page)
{
    man_daemon(page, "todo-bridge", "events and reminders of a to\\-do chatbot",
               "Numbers and publishes events (role relay), fires reminders and rolls series on "
               "(scheduler), brings events to phones (mqtt) and webhooks (webhooks), and keeps the "
               "audit log (audit). Any number may run side by side.",
               &bridge_config_table);
}

static const struct {
    const char *name;
    void (*print)(struct base_buf *page);
} pages[] = {{"configuration", configuration},
             {"metrics", metrics},
             {"man/todo-gateway", man_gateway},
             {"man/todo-bridge", man_bridge}};

int main(int argc, char **argv)
{
    struct base_buf page;
    size_t i = 0;
    while (argc == 2 && i < sizeof(pages) / sizeof(pages[0]) && strcmp(argv[1], pages[i].name) != 0)
        i++;
    if (argc != 2 || i == sizeof(pages) / sizeof(pages[0]))
        return 2;
    base_buf_init(&page, PAGE_MAX);
    pages[i].print(&page);
    bool ok = base_buf_ok(&page) && fwrite(page.data, 1, page.len, stdout) == page.len;
    base_buf_done(&page);
    return ok ? 0 : 1;
}
