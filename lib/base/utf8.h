/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing above U+10FFFF. */
#ifndef BASE_UTF8_H
#define BASE_UTF8_H

#include "lib/base/sv.h"

bool base_utf8_valid(struct base_sv s);
/* Code points in valid UTF-8. */
size_t base_utf8_count(struct base_sv s);
/* The longest prefix of at most max bytes that does not cut a code point. */
struct base_sv base_utf8_cut(struct base_sv s, size_t max);

#endif
