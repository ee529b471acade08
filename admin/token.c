/* SPDX-License-Identifier: Apache-2.0 */
/*
 * todo-admin token: a token for development, signed with the shared secret. The secret comes from a
 * file or the environment, never from an argument that others could see in the list of processes.
 */
#include <stdio.h>
#include <stdlib.h>

#include "admin/args.h"
#include "admin/command.h"
#include "lib/auth/names.h"
#include "lib/auth/token.h"
#include "lib/base/clock.h"

enum { SECRET_MIN = 16, SECRET_MAX = 4096 };

static const int64_t TTL_MAX_S = 366 * 86400;

/* "90s", "30m", "12h", "7d"; a bare number is seconds. */
static bool ttl_parse(struct base_sv text, int64_t *ret_seconds)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    int64_t factor = 1, number;
    for (size_t i = 0; text.len && i < sizeof(units) / sizeof(units[0]); i++)
        if (text.ptr[text.len - 1] == units[i].unit) {
            factor = units[i].seconds;
            text.len--;
            break;
        }
    if (!base_sv_int64(text, &number) || number < 1 || number > TTL_MAX_S / factor)
        return false;
    *ret_seconds = number * factor;
    return true;
}

/* The file's bytes as they are: the daemons and the key set take them so, too. */
static bool read_secret(const char *path, struct base_buf *secret)
{
    FILE *file = fopen(path, "rbe");
    char *room = base_buf_reserve(secret, SECRET_MAX);
    if (file && room)
        secret->len = fread(room, 1, SECRET_MAX, file);
    bool whole = file && room && !ferror(file) && (fgetc(file) == EOF);
    if (file)
        (void)fclose(file);
    return whole;
}

static int complain(const char *what)
{
    (void)fprintf(stderr, "todo-admin token: %s\n", what);
    return ADMIN_USAGE;
}

static int sign(struct base_sv secret, const struct auth_grant *grant)
{
    struct base_buf token;
    base_buf_init(&token, AUTH_TOKEN_MAX);
    enum base_err err = auth_sign(secret, grant, &token);
    if (err == BASE_OK)
        (void)puts(token.data);
    else
        (void)fprintf(stderr, "todo-admin token: %s\n", base_err_text(err));
    base_buf_done(&token);
    return err == BASE_OK ? ADMIN_OK : ADMIN_FAILED;
}

int admin_token(int argc, char **argv)
{
    const char *user = NULL, *role = NULL, *ttl = "12h", *file = NULL;
    const char *issuer = "todo-chatbot", *audience = "todo-chatbot";
    const struct admin_option options[] = {
        {"--user", &user, NULL, true, "the token's sub: 1 to 128 of A-Z a-z 0-9 . _ ~ @ | -"},
        {"--role", &role, NULL, false, "service: for the daemons and the broker"},
        {"--ttl", &ttl, NULL, false, "how long it is good: 90s, 30m, 12h, 7d"},
        {"--secret-file", &file, NULL, false, "file with the secret; else TODO_AUTH_SECRET"},
        {"--issuer", &issuer, "TODO_AUTH_ISSUER", false, "the token's iss"},
        {"--audience", &audience, "TODO_AUTH_AUDIENCE", false, "the token's aud"},
    };
    struct base_buf secret;
    int status;
    int64_t ttl_s;
    if (!admin_args_parse(options, sizeof(options) / sizeof(options[0]), argc, argv, &status))
        return status;
    if (!auth_user_valid(base_sv_from(user)))
        return complain("--user: 1 to 128 of A-Z a-z 0-9 . _ ~ @ | -");
    if (role && strcmp(role, "service") != 0)
        return complain("--role: only \"service\" is known");
    if (!ttl_parse(base_sv_from(ttl), &ttl_s))
        return complain("--ttl: 1s to 366d, such as 90s, 30m, 12h, 7d");
    base_buf_init(&secret, SECRET_MAX);
    if (!file)
        base_buf_add_c(&secret, getenv("TODO_AUTH_SECRET"));
    if (file && !read_secret(file, &secret))
        status = complain("--secret-file: cannot be read, or is larger than 4 KiB");
    else if (secret.len < SECRET_MIN)
        status = complain("a secret of 16 bytes or more is needed: --secret-file or "
                          "TODO_AUTH_SECRET");
    else
        status = sign(base_buf_sv(&secret),
                      &(struct auth_grant){.subject = user,
                                           .role = role,
                                           .issuer = issuer,
                                           .audience = audience,
                                           .now_us = base_clock_now_us(&base_clock_system),
                                           .ttl_s = ttl_s});
    base_buf_done(&secret);
    return status;
}
