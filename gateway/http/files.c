/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted array of files; names under /assets/ carry their hash and may be cached for ever. */
#include "gateway/http/files.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

enum { FILES_MAX = 1000, FILE_MAX_BYTES = 16 * 1024 * 1024, PATH_BYTES = 1024, DEPTH_MAX = 8 };

/* %.*s is the origin of the OpenID provider, or nothing. */
#define CSP                                                                                        \
    "default-src 'self'; img-src 'self' data:; connect-src 'self' ws: wss: %.*s; "                 \
    "object-src 'none'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'"

struct file {
    char *path; /* "/assets/app.js" */
    struct base_buf data;
    char etag[24];
};

struct gw_files {
    struct file files[FILES_MAX];
    size_t count;
    char csp[1500];
};

static const struct {
    const char *ending;
    const char *type;
} types[] = {
    {".html", "text/html; charset=utf-8"},
    {".js", "text/javascript; charset=utf-8"},
    {".css", "text/css; charset=utf-8"},
    {".json", "application/json"},
    {".webmanifest", "application/manifest+json"},
    {".svg", "image/svg+xml"},
    {".png", "image/png"},
    {".ico", "image/x-icon"},
    {".woff2", "font/woff2"},
    {".txt", "text/plain; charset=utf-8"},
    {".map", "application/json"},
};

static const char *type_of(struct base_sv path)
{
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
        if (base_sv_ends(path, base_sv_from(types[i].ending)))
            return types[i].type;
    return "application/octet-stream";
}

static bool read_whole(const char *name, struct base_buf *data)
{
    FILE *file = fopen(name, "rbe");
    size_t n = 1;
    base_buf_init(data, FILE_MAX_BYTES);
    while (file && n > 0 && base_buf_ok(data)) {
        char *at = base_buf_reserve(data, 65536);
        n = at ? fread(at, 1, 65536, file) : 0;
        data->len += n;
    }
    bool ok = file && base_buf_ok(data) && !ferror(file);
    if (file)
        (void)fclose(file);
    return ok;
}

static bool add_file(struct gw_files *files, const char *name, const char *path)
{
    if (files->count == FILES_MAX)
        return false;
    struct file *file = &files->files[files->count];
    file->path = strdup(path);
    if (!file->path || !read_whole(name, &file->data)) {
        free(file->path);
        base_buf_done(&file->data);
        return false;
    }
    (void)snprintf(file->etag, sizeof(file->etag), "\"%016llx\"",
                   (unsigned long long)base_sv_hash(base_buf_sv(&file->data), 0));
    files->count++;
    return true;
}

static bool add_folder(struct gw_files *files, const char *folder, const char *prefix, int depth)
{
    DIR *dir = depth < DEPTH_MAX ? opendir(folder) : NULL;
    bool ok = dir != NULL;
    for (struct dirent *entry; ok && (entry = readdir(dir));) {
        char name[PATH_BYTES];
        char path[PATH_BYTES];
        struct stat info;
        if (entry->d_name[0] == '.')
            continue;
        int a = snprintf(name, sizeof(name), "%s/%s", folder, entry->d_name);
        int b = snprintf(path, sizeof(path), "%s/%s", prefix, entry->d_name);
        ok = a > 0 && a < PATH_BYTES && b > 0 && b < PATH_BYTES && stat(name, &info) == 0;
        if (ok && S_ISDIR(info.st_mode))
            ok = add_folder(files, name, path, depth + 1);
        else if (ok && S_ISREG(info.st_mode))
            ok = add_file(files, name, path);
    }
    if (dir)
        (void)closedir(dir);
    return ok;
}

static int by_path(const void *a, const void *b)
{
    return strcmp(((const struct file *)a)->path, ((const struct file *)b)->path);
}

/* "https://login.example.org/realms/x" → "https://login.example.org" */
static struct base_sv origin_of(const char *url)
{
    struct base_sv text = base_sv_from(url);
    size_t scheme = base_sv_find(text, ':');
    size_t host = scheme + 3 < text.len ? scheme + 3 : text.len;
    struct base_sv rest = base_sv_sub(text, host, text.len);
    return base_sv_sub(text, 0, host + base_sv_find(rest, '/'));
}

/* What may stand in a policy header, and is fetched over TLS, or from this machine for development.
 */
static bool is_provider(const char *url)
{
    static const char *const STARTS[] = {"https://", "http://127.0.0.1:", "http://localhost:"};
    static const char ALLOWED[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                  "-._~:/%";
    if (strspn(url, ALLOWED) != strlen(url))
        return false;
    for (size_t i = 0; i < sizeof(STARTS) / sizeof(*STARTS); i++)
        if (strncmp(url, STARTS[i], strlen(STARTS[i])) == 0)
            return true;
    return url[0] == '\0';
}

enum base_err gw_files_new(const char *root, const char *provider, struct gw_files **ret_files,
                           struct base_buf *errors)
{
    struct gw_files *files = calloc(1, sizeof(*files));
    if (!files)
        return BASE_NO_MEMORY;
    if (!is_provider(provider)) {
        base_buf_addf(errors, "oidc.issuer = %s: must be an https:// address\n", provider);
        gw_files_free(files);
        return BASE_INVALID;
    }
    if (!add_folder(files, root, "", 0)) {
        base_buf_addf(errors, "web.root = %s: cannot read the folder or one of its files\n", root);
        gw_files_free(files);
        return BASE_INVALID;
    }
    (void)snprintf(files->csp, sizeof(files->csp), CSP, SV_FMT(origin_of(provider)));
    qsort(files->files, files->count, sizeof(files->files[0]), by_path);
    *ret_files = files;
    return BASE_OK;
}

void gw_files_free(struct gw_files *files)
{
    if (!files)
        return;
    for (size_t i = 0; i < files->count; i++) {
        free(files->files[i].path);
        base_buf_done(&files->files[i].data);
    }
    free(files);
}

static const struct file *find(const struct gw_files *files, struct base_sv path,
                               const char *suffix)
{
    char name[PATH_BYTES];
    struct file key = {.path = name};
    int n = snprintf(name, sizeof(name), "%.*s%s", SV_FMT(path), suffix);
    if (n < 0 || n >= PATH_BYTES)
        return NULL;
    return bsearch(&key, files->files, files->count, sizeof(files->files[0]), by_path);
}

bool gw_files_serve(const struct gw_files *files, struct net_request *req)
{
    struct base_sv path = net_request_path(req);
    if (!files)
        return false;
    if (base_sv_eq_c(path, "/"))
        path = SV("/index.html");
    const struct file *file = find(files, path, "");
    if (!file)
        return false;
    struct base_sv accepts = net_request_header(req, SV("accept-encoding"));
    bool gzip = accepts.len && memmem(accepts.ptr, accepts.len, "gzip", 4);
    const struct file *packed = gzip ? find(files, path, ".gz") : NULL;
    bool for_ever = base_sv_starts(path, SV("/assets/"));
    struct net_header headers[] = {
        {SV("Content-Type"), base_sv_from(type_of(path))},
        {SV("Cache-Control"),
         for_ever ? SV("public, max-age=31536000, immutable") : SV("no-cache")},
        {SV("ETag"), base_sv_from(file->etag)},
        {SV("Vary"), SV("Accept-Encoding")},
        {SV("Content-Security-Policy"), base_sv_from(files->csp)},
        {SV("X-Content-Type-Options"), SV("nosniff")},
        {SV("Referrer-Policy"), SV("no-referrer")},
        {SV("Content-Encoding"), SV("gzip")}, /* last: left out where it is not so */
    };
    size_t plain = sizeof(headers) / sizeof(headers[0]) - 1;
    if (base_sv_eq_c(net_request_header(req, SV("if-none-match")), file->etag))
        net_respond(req, 304, headers, plain, SV_NULL);
    else
        net_respond(req, 200, headers, packed ? plain + 1 : plain,
                    base_buf_sv(packed ? &packed->data : &file->data));
    return true;
}
