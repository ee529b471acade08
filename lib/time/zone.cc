/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that knows cctz, and the only C++ in the product. cctz because it reads the
 * system's own database (Debian updates it; ICU's copy is frozen), has no process-wide state as
 * glibc's TZ has, and tells gap from overlap.
 *
 * cctz remembers every name it was ever asked for, unknown ones included. Names come from outside,
 * so a name reaches it only once a file of that name is known to exist: the set stays bounded.
 * No exception leaves this file: memory that runs out while a zone loads is NO_MEMORY.
 */
#include <cctz/time_zone.h>
#include <sys/stat.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <new>
#include <shared_mutex>
#include <string>
#include <string_view>

/* A C function may share its name with a struct; C++ calls that hiding. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wshadow"
#include "lib/time/zone.h"
#pragma GCC diagnostic pop

struct time_zone {
    std::string name;
    cctz::time_zone zone;
};

namespace
{

constexpr size_t NAME_MAX_LEN = 64;
constexpr int64_t SECOND_US = 1000000;

std::string database_dir()
{
    const char *dir = std::getenv("TZDIR");
    return dir && *dir ? dir : "/usr/share/zoneinfo";
}

/* Zones are never freed, so that pointers to them may be kept for the process's life. */
class registry
{
  public:
    registry()
    {
        utc_.name = "UTC";
        utc_.zone = cctz::utc_time_zone();
    }

    const time_zone *utc() const
    {
        return &utc_;
    }

    const time_zone *find(std::string_view name)
    {
        std::shared_lock<std::shared_mutex> lock(mutex_);
        auto at = zones_.find(name);
        return at == zones_.end() ? nullptr : at->second.get();
    }

    const time_zone *load(std::string_view name)
    {
        std::string path = dir_ + "/" + std::string(name);
        struct stat info;
        if (::stat(path.c_str(), &info) != 0 || !S_ISREG(info.st_mode))
            return nullptr;
        auto fresh = std::make_unique<time_zone>();
        fresh->name = std::string(name);
        if (!cctz::load_time_zone(fresh->name, &fresh->zone))
            return nullptr;
        std::unique_lock<std::shared_mutex> lock(mutex_);
        return zones_.try_emplace(fresh->name, std::move(fresh)).first->second.get();
    }

    const std::string &dir() const
    {
        return dir_;
    }

  private:
    const std::string dir_ = database_dir();
    time_zone utc_;
    std::shared_mutex mutex_;
    std::map<std::string, std::unique_ptr<time_zone>, std::less<>> zones_;
};

/* Constructed on first use and never destroyed: a thread may outlive main(). */
registry &zones()
{
    static registry *instance = new registry;
    return *instance;
}

/* A relative path of plain parts; none of the files beside the zones: "posix/" and "right/" hold
 * the database again (the latter counting leap seconds), "localtime" is the machine's choice. */
bool plain_name(std::string_view name)
{
    if (name.empty() || name.size() > NAME_MAX_LEN || name.front() == '/' || name.back() == '/')
        return false;
    for (char c : name) {
        bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                     c == '/' || c == '_' || c == '+' || c == '-';
        if (!plain)
            return false;
    }
    return name != "localtime" && name != "posixrules" && name.substr(0, 6) != "posix/" &&
           name.substr(0, 6) != "right/";
}

int64_t to_us(cctz::time_point<cctz::seconds> at)
{
    return at.time_since_epoch().count() * SECOND_US;
}

cctz::time_point<cctz::seconds> to_point(int64_t at_us)
{
    return cctz::time_point<cctz::seconds>(
        cctz::seconds(at_us / SECOND_US - (at_us % SECOND_US < 0)));
}

int64_t to_wall_s(const cctz::civil_second &civil)
{
    return civil - cctz::civil_second();
}

time_change to_change(const cctz::time_zone &zone, const cctz::time_zone::civil_transition &change)
{
    time_change result;
    result.at_us = to_us(zone.lookup(change.to).trans);
    result.from_s = to_wall_s(change.from);
    result.to_s = to_wall_s(change.to);
    return result;
}

/* cctz also reports changes of the abbreviation alone, and the start of its data: passed over. */
bool change_before(const cctz::time_zone &zone, cctz::time_point<cctz::seconds> point,
                   time_change *ret_change)
{
    cctz::time_zone::civil_transition found;
    point += cctz::seconds(1);
    while (zone.prev_transition(point, &found)) {
        time_change change = to_change(zone, found);
        if (change.from_s != change.to_s) {
            *ret_change = change;
            return true;
        }
        auto earlier = to_point(change.at_us);
        if (earlier >= point)
            break;
        point = earlier;
    }
    return false;
}

bool change_after(const cctz::time_zone &zone, cctz::time_point<cctz::seconds> point,
                  time_change *ret_change)
{
    cctz::time_zone::civil_transition found;
    while (zone.next_transition(point, &found)) {
        time_change change = to_change(zone, found);
        if (change.from_s != change.to_s) {
            *ret_change = change;
            return true;
        }
        auto later = to_point(change.at_us);
        if (later <= point)
            break;
        point = later;
    }
    return false;
}

/* cctz lists the changes of a rule that goes on for ever for one cycle of the calendar, to 2437 at
 * least. Behind it, they are those of the cycle before. */
constexpr int64_t CYCLE_S = INT64_C(146097) * 86400;
constexpr int64_t LISTED_UNTIL_S = INT64_C(14516236800); /* 2430-01-01 */

/* How many cycles to go back from an instant so that its neighbours are listed. */
int64_t cycles_beyond(const cctz::time_zone &zone, cctz::time_point<cctz::seconds> point)
{
    cctz::time_point<cctz::seconds> listed{cctz::seconds(LISTED_UNTIL_S)};
    cctz::time_zone::civil_transition found;
    if (point <= listed || !zone.next_transition(listed, &found))
        return 0;
    return (point - listed).count() / CYCLE_S + 1;
}

void move_change(time_change *change, int64_t by_s)
{
    change->at_us += by_s * SECOND_US;
    change->from_s += by_s;
    change->to_s += by_s;
}

/* The first line of the database's own texts: "+VERSION" where zic's makefile left it, or the
 * "# version 2026a" of tzdata.zi. */
std::string read_version(const std::string &dir)
{
    for (const char *file : {"/+VERSION", "/tzdata.zi"}) {
        std::FILE *in = std::fopen((dir + file).c_str(), "re");
        if (!in)
            continue;
        char line[64] = "";
        bool got = std::fgets(line, sizeof(line), in) != nullptr;
        (void)std::fclose(in);
        std::string_view text = got ? line : "";
        constexpr std::string_view prefix = "# version ";
        if (text.substr(0, prefix.size()) == prefix)
            text.remove_prefix(prefix.size());
        text = text.substr(0, text.find_first_of(" \r\n"));
        if (!text.empty())
            return std::string(text);
    }
    return "unknown";
}

} // namespace

enum base_err time_zone_load(struct base_sv name, const struct time_zone **ret_zone)
{
    std::string_view text(name.ptr ? name.ptr : "", name.len);
    if (!plain_name(text))
        return BASE_INVALID;
    try {
        if (text == "UTC") {
            *ret_zone = zones().utc();
            return BASE_OK;
        }
        const time_zone *zone = zones().find(text);
        if (!zone)
            zone = zones().load(text);
        if (!zone)
            return BASE_INVALID;
        *ret_zone = zone;
        return BASE_OK;
    } catch (const std::bad_alloc &) {
        return BASE_NO_MEMORY;
    }
}

const struct time_zone *time_zone_utc(void)
{
    return zones().utc();
}

const char *time_zone_name(const struct time_zone *zone)
{
    return zone->name.c_str();
}

int64_t time_zone_instant(const struct time_zone *zone, struct time_civil civil,
                          enum time_kind *ret_kind)
{
    auto found = zone->zone.lookup(cctz::civil_second(civil.year, civil.month, civil.day,
                                                      civil.hour, civil.minute, civil.second));
    if (ret_kind)
        *ret_kind = found.kind == cctz::time_zone::civil_lookup::SKIPPED    ? TIME_GAP
                    : found.kind == cctz::time_zone::civil_lookup::REPEATED ? TIME_OVERLAP
                                                                            : TIME_UNIQUE;
    /* "pre" is the reading with the offset before the change: past a gap, first of an overlap. */
    return to_us(found.pre);
}

struct time_civil time_zone_civil(const struct time_zone *zone, int64_t at_us)
{
    cctz::civil_second shown = zone->zone.lookup(to_point(at_us)).cs;
    time_civil civil;
    civil.year = static_cast<int32_t>(shown.year());
    civil.month = static_cast<int8_t>(shown.month());
    civil.day = static_cast<int8_t>(shown.day());
    civil.hour = static_cast<int8_t>(shown.hour());
    civil.minute = static_cast<int8_t>(shown.minute());
    civil.second = static_cast<int8_t>(shown.second());
    return civil;
}

bool time_zone_change_before(const struct time_zone *zone, int64_t at_us,
                             struct time_change *ret_change)
{
    int64_t moved_s = cycles_beyond(zone->zone, to_point(at_us)) * CYCLE_S;
    if (!change_before(zone->zone, to_point(at_us) - cctz::seconds(moved_s), ret_change))
        return false;
    move_change(ret_change, moved_s);
    return true;
}

bool time_zone_change_after(const struct time_zone *zone, int64_t at_us,
                            struct time_change *ret_change)
{
    int64_t moved_s = cycles_beyond(zone->zone, to_point(at_us)) * CYCLE_S;
    if (!change_after(zone->zone, to_point(at_us) - cctz::seconds(moved_s), ret_change))
        return false;
    move_change(ret_change, moved_s);
    return true;
}

const char *time_zone_version(void)
{
    static const std::string *version = new std::string(read_version(zones().dir()));
    return version->c_str();
}
