/* SPDX-License-Identifier: Apache-2.0 */
#include "bridge/mqtt/mqtt_url.h"

static const struct {
    struct base_sv prefix;
    int port;
    bool tls;
} schemes[] = {{{"mqtt://", 7}, 1883, false}, {{"mqtts://", 8}, 8883, true}};

/* Cuts the host off *rest, without the brackets of an IPv6 address. */
static struct base_sv cut_host(struct base_sv *rest)
{
    bool bracket = rest->len > 0 && rest->ptr[0] == '[';
    size_t end = base_sv_find(*rest, bracket ? ']' : ':');
    struct base_sv host = base_sv_sub(*rest, bracket ? 1 : 0, end);
    if (bracket && end == rest->len)
        host.len = 0;
    *rest = base_sv_sub(*rest, bracket ? end + 1 : end, rest->len);
    return host;
}

static bool host_valid(struct base_sv host)
{
    for (size_t i = 0; i < host.len; i++)
        if ((unsigned char)host.ptr[i] <= ' ' || host.ptr[i] == '/' || host.ptr[i] == '@' ||
            host.ptr[i] == '?' || host.ptr[i] == '#')
            return false;
    return host.len > 0;
}

bool mqtt_url_parse(struct base_sv text, struct mqtt_url *ret_url)
{
    struct mqtt_url url = {0};
    struct base_sv rest = SV_NULL;
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        if (base_sv_starts(text, schemes[i].prefix)) {
            rest = base_sv_sub(text, schemes[i].prefix.len, text.len);
            url.port = schemes[i].port;
            url.tls = schemes[i].tls;
        }
    }
    if (!rest.ptr)
        return false;
    struct base_sv host = cut_host(&rest);
    if (!host_valid(host) || !base_sv_cstr(host, url.host, sizeof(url.host)))
        return false;
    if (rest.len > 0) {
        int64_t port;
        if (rest.ptr[0] != ':' || !base_sv_int64(base_sv_sub(rest, 1, rest.len), &port) ||
            port < 1 || port > 65535 || rest.ptr[1] == '+')
            return false;
        url.port = (int)port;
    }
    *ret_url = url;
    return true;
}
