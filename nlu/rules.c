/* SPDX-License-Identifier: Apache-2.0 */
/* Reads a folder of rule files: one folder per language in it, files ending in .rules. */
#include "nlu/rules.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

enum { FILES_MAX = 200, FILE_BYTES_MAX = 1 << 20 };

struct loader {
    struct base_arena *arena;
    struct base_buf *errors;
    struct nlu_rule_file *files;
    size_t count;
    bool failed;
};

static void complain(struct loader *l, const char *what, const char *why)
{
    l->failed = true;
    if (l->errors)
        base_buf_addf(l->errors, "%s: %s\n", what, why);
}

static void load_file(struct loader *l, const char *path, const char *name)
{
    FILE *file = fopen(path, "rb");
    if (!file) {
        complain(l, path, strerror(errno));
        return;
    }
    char *data = base_arena_alloc(l->arena, FILE_BYTES_MAX);
    size_t len = data ? fread(data, 1, FILE_BYTES_MAX, file) : 0;
    bool bad = ferror(file) != 0;
    (void)fclose(file);
    if (!data || bad || len == FILE_BYTES_MAX || l->count == FILES_MAX) {
        complain(l, path, "unreadable, too large, or one file too many");
        return;
    }
    struct base_sv kept = base_arena_sv(l->arena, base_sv_from(name));
    l->files[l->count++] = (struct nlu_rule_file){kept.ptr, (const unsigned char *)data, len};
}

static void load_language(struct loader *l, const char *dir, const char *language)
{
    char path[512];
    (void)snprintf(path, sizeof(path), "%s/%s", dir, language);
    DIR *folder = opendir(path);
    if (!folder)
        return;
    for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
        char name[300], full[900];
        if (!base_sv_ends(base_sv_from(e->d_name), SV(".rules")))
            continue;
        (void)snprintf(name, sizeof(name), "%s/%s", language, e->d_name);
        (void)snprintf(full, sizeof(full), "%s/%s", dir, name);
        load_file(l, full, name);
    }
    (void)closedir(folder);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(((const struct nlu_rule_file *)a)->name, ((const struct nlu_rule_file *)b)->name);
}

enum base_err nlu_rules_load(const char *dir, struct base_arena *arena,
                             struct nlu_rule_file **ret_files, struct base_buf *errors)
{
    struct loader l = {.arena = arena, .errors = errors};
    l.files = base_arena_array(arena, FILES_MAX + 1, sizeof(*l.files));
    DIR *folder = opendir(dir);
    if (!folder || !l.files) {
        complain(&l, dir, folder ? "out of memory" : strerror(errno));
        if (folder)
            (void)closedir(folder);
        return BASE_NOT_FOUND;
    }
    for (struct dirent *e = readdir(folder); e; e = readdir(folder)) {
        if (e->d_name[0] != '.' && strlen(e->d_name) < 8)
            load_language(&l, dir, e->d_name);
    }
    (void)closedir(folder);
    if (l.count == 0)
        complain(&l, dir, "no rule files below it");
    if (l.failed)
        return BASE_INVALID;
    qsort(l.files, l.count, sizeof(*l.files), by_name);
    *ret_files = l.files;
    return BASE_OK;
}
