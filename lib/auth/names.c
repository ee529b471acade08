/* SPDX-License-Identifier: Apache-2.0 */
/* The alphabets of names. */
#include "lib/auth/names.h"

static bool only(struct base_sv name, size_t max, const char *others)
{
    if (name.len == 0 || name.len > max)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
        if (!letter && (c == '\0' || !strchr(others, c)))
            return false;
    }
    return true;
}

bool auth_user_valid(struct base_sv user)
{
    return only(user, 128, "._~@|-");
}

bool auth_device_valid(struct base_sv device)
{
    return only(device, 64, "._~-");
}
