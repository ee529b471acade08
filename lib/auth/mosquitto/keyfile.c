/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/auth/mosquitto/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 256 * 1024, CHUNK = 4096 };

static enum base_err read_all(int fd, struct base_buf *text)
{
    struct stat st;
    if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
        return BASE_INVALID;
    while (text->len <= FILE_MAX) {
        char *room = base_buf_reserve(text, CHUNK);
        if (!room)
            return BASE_NO_MEMORY;
        ssize_t n = read(fd, room, CHUNK);
        if (n < 0 && errno != EINTR)
            return BASE_UNAVAILABLE;
        if (n == 0)
            return BASE_OK;
        if (n > 0)
            text->len += (size_t)n;
    }
    return BASE_TOO_LARGE;
}

enum base_err auth_keyfile_read(const char *path, bool allow_hs256, struct auth_keys **ret_keys,
                                struct base_buf *errors)
{
    struct base_buf text;
    /* Not to wait for a writer, should somebody put a pipe there. */
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0) {
        base_buf_addf(errors, "%s: %s", path, strerrordesc_np(errno));
        return BASE_UNAVAILABLE;
    }
    base_buf_init(&text, FILE_MAX + 2 * CHUNK);
    enum base_err err = read_all(fd, &text);
    (void)close(fd);
    base_buf_addf(errors, "%s: ", path);
    if (err == BASE_OK)
        err = auth_keys_from_jwks(base_buf_sv(&text), allow_hs256, ret_keys, errors);
    else
        base_buf_addf(errors, "cannot be read (%s)", base_err_text(err));
    base_buf_done(&text);
    return err;
}
