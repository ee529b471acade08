/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a fuzz target over its seed corpus without libFuzzer: every file of every folder named. */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    static uint8_t data[1 << 20];
    size_t size = fread(data, 1, sizeof(data), file);
    (void)fclose(file);
    /* An exact-size copy, so that a sanitizer sees the first byte read beyond the input. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy)
        return -1;
    for (size_t i = 0; i < size; i++)
        copy[i] = data[i];
    (void)LLVMFuzzerTestOneInput(copy, size);
    free(copy);
    return 0;
}

int main(int argc, char **argv)
{
    int files = 0;
    for (int i = 1; i < argc; i++) {
        DIR *dir = opendir(argv[i]);
        if (!dir) {
            (void)fprintf(stderr, "%s: cannot open the corpus\n", argv[i]);
            return 1;
        }
        for (struct dirent *entry; (entry = readdir(dir));) {
            char path[4096];
            if (entry->d_name[0] == '.')
                continue;
            int n = snprintf(path, sizeof(path), "%s/%s", argv[i], entry->d_name);
            if (n < 0 || (size_t)n >= sizeof(path) || run_file(path) != 0) {
                (void)fprintf(stderr, "%s/%s: cannot read\n", argv[i], entry->d_name);
                (void)closedir(dir);
                return 1;
            }
            files++;
        }
        (void)closedir(dir);
    }
    (void)printf("%d seeds replayed\n", files);
    return files > 0 ? 0 : 1;
}
