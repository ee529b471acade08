/* SPDX-License-Identifier: Apache-2.0 */
/* A configuration file of any content: it loads or says why, and what it prints loads again. */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/base/config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct settings {
    char *name;
    int64_t number;
    bool flag;
    int64_t wait_ms;
    int64_t size;
    int mode;
    char *secret;
};

#define AT(field) offsetof(struct settings, field)
static const struct base_config_key keys[] = {
    {"name", BASE_CONFIG_STR, AT(name), "x", 0, 40, NULL, 0, ""},
    {"number", BASE_CONFIG_INT, AT(number), "1", -100, 100, NULL, 0, ""},
    {"flag", BASE_CONFIG_BOOL, AT(flag), "no", 0, 0, NULL, 0, ""},
    {"wait", BASE_CONFIG_DURATION, AT(wait_ms), "1s", 0, INT64_MAX, NULL, 0, ""},
    {"size", BASE_CONFIG_SIZE, AT(size), "1k", 0, INT64_MAX, NULL, 0, ""},
    {"mode", BASE_CONFIG_ENUM, AT(mode), "a", 0, 0, "a|b", 0, ""},
    {"secret", BASE_CONFIG_STR, AT(secret), "", 0, 100, NULL, BASE_CONFIG_SECRET, ""},
};
static const struct base_config_table table = {keys, sizeof(keys) / sizeof(keys[0]),
                                               sizeof(struct settings)};

static enum base_err load(struct base_sv text, struct settings *settings)
{
    char path[32] = "/dev/fd/";
    struct base_buf errors;
    enum base_config_mode mode;
    int fd = memfd_create("config", 0);
    if (fd < 0 || write(fd, text.len ? text.ptr : "", text.len) != (ssize_t)text.len)
        abort();
    struct base_buf number;
    base_buf_init(&number, 16);
    base_buf_add_int(&number, fd);
    memcpy(path + 8, number.data, number.len + 1);
    base_buf_done(&number);
    base_buf_init(&errors, 1 << 16);
    enum base_err err =
        base_config_load(&table, settings, 3, (char *[]){"fuzz", "--config", path, NULL}, NULL,
                         &mode, &errors, &errors);
    if ((err != BASE_OK) != (errors.len > 0))
        abort();
    base_buf_done(&errors);
    (void)close(fd);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct settings settings;
    struct settings again;
    struct base_buf first;
    struct base_buf second;
    /* A secret's file could name any file of this machine. */
    if (memmem(data, size, ".file", 5) ||
        load(base_sv((const char *)data, size), &settings) != BASE_OK)
        return 0;
    base_buf_init(&first, 1 << 16);
    base_buf_init(&second, 1 << 16);
    base_config_print(&table, &settings, &first);
    if (load(base_buf_sv(&first), &again) != BASE_OK)
        abort();
    base_config_print(&table, &again, &second);
    /* The secret is the one line that is not carried over. */
    base_buf_truncate(&first, first.len - (size_t)(settings.secret[0] ? 8 : 0));
    if (!base_sv_starts(base_buf_sv(&second), base_sv_sub(base_buf_sv(&first), 0, first.len - 1)))
        abort();
    base_config_done(&table, &settings);
    base_config_done(&table, &again);
    base_buf_done(&first);
    base_buf_done(&second);
    return 0;
}
