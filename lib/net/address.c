/* SPDX-License-Identifier: Apache-2.0 */
#include "lib/net/address.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

static const struct {
    uint8_t prefix[4];
    int bits;
} v4[] = {
    {{0}, 8},
    {{10}, 8},
    {{100, 64}, 10},
    {{127}, 8},
    {{169, 254}, 16},
    {{172, 16}, 12},
    {{192, 0, 0}, 24},
    {{192, 0, 2}, 24},
    {{192, 88, 99}, 24},
    {{192, 168}, 16},
    {{198, 18}, 15},
    {{198, 51, 100}, 24},
    {{203, 0, 113}, 24},
    {{224}, 3},
};

static const struct {
    uint8_t prefix[16];
    int bits;
} v6[] = {
    {{0}, 64},    /* unspecified, loopback; mapped addresses are looked at first */
    {{0x01}, 64}, /* discard-only is 100::/64 */
    {{0x20, 0x01, 0x0d, 0xb8}, 32}, /* documentation */
    {{0x20, 0x01, 0x00, 0x00}, 23}, /* protocol assignments, Teredo among them */
    {{0x20, 0x02}, 16},             /* 6to4: whatever IPv4 address it holds */
    {{0x3f, 0xff}, 20},             /* documentation */
    {{0x5f, 0x00}, 16},             /* segment routing */
    {{0xfc}, 7},                    /* unique local */
    {{0xfe, 0x80}, 9},              /* link-local and the former site-local */
    {{0xff}, 8},                    /* multicast */
};

static bool within(const uint8_t *address, const uint8_t *prefix, int bits)
{
    int whole = bits / 8;
    uint8_t mask = (uint8_t)(0xff00 >> bits % 8);
    return memcmp(address, prefix, (size_t)whole) == 0 &&
           ((address[whole] ^ prefix[whole]) & (bits % 8 ? mask : 0)) == 0;
}

static bool v4_is_global(const uint8_t *address)
{
    for (size_t i = 0; i < sizeof(v4) / sizeof(v4[0]); i++)
        if (within(address, v4[i].prefix, v4[i].bits))
            return false;
    return true;
}

static bool v6_is_global(const uint8_t *address)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
    if (memcmp(address, mapped, sizeof(mapped)) == 0 || memcmp(address, nat64, sizeof(nat64)) == 0)
        return v4_is_global(address + 12);
    for (size_t i = 0; i < sizeof(v6) / sizeof(v6[0]); i++)
        if (within(address, v6[i].prefix, v6[i].bits))
            return false;
    return true;
}

bool net_address_is_global(const struct sockaddr *address)
{
    uint8_t bytes[16];
    if (address->sa_family == AF_INET) {
        memcpy(bytes, &((const struct sockaddr_in *)(const void *)address)->sin_addr, 4);
        return v4_is_global(bytes);
    }
    if (address->sa_family == AF_INET6) {
        memcpy(bytes, &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr, 16);
        return v6_is_global(bytes);
    }
    return false;
}
