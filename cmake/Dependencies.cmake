# Everything we link against, once. Versions are Debian 12's, the oldest that is supported.
find_package(PkgConfig REQUIRED)
find_package(Threads REQUIRED)
find_package(OpenSSL 3.0 REQUIRED COMPONENTS Crypto)

pkg_check_modules(JANSSON REQUIRED IMPORTED_TARGET jansson>=2.14)
pkg_check_modules(PCRE2 REQUIRED IMPORTED_TARGET libpcre2-8>=10.42)
pkg_check_modules(PCRE2_16 REQUIRED IMPORTED_TARGET libpcre2-16>=10.42)
pkg_check_modules(UV REQUIRED IMPORTED_TARGET libuv>=1.44)
pkg_check_modules(LWS REQUIRED IMPORTED_TARGET libwebsockets>=4.1.6)
pkg_check_modules(CURL REQUIRED IMPORTED_TARGET libcurl>=7.88)
pkg_check_modules(CJOSE REQUIRED IMPORTED_TARGET cjose>=0.6.2)
pkg_check_modules(PQ REQUIRED IMPORTED_TARGET libpq>=15)
pkg_check_modules(RDKAFKA REQUIRED IMPORTED_TARGET rdkafka>=2.0.2)
pkg_check_modules(MOSQUITTO REQUIRED IMPORTED_TARGET libmosquitto>=2.0.11)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib>=1.2.13)
pkg_check_modules(CMOCKA REQUIRED IMPORTED_TARGET cmocka>=1.1.5)

# cctz ships neither a CMake config nor a pkg-config file in Debian.
find_path(CCTZ_INCLUDE_DIR cctz/time_zone.h REQUIRED)
find_library(CCTZ_LIBRARY cctz REQUIRED)
add_library(cctz::cctz INTERFACE IMPORTED)
target_include_directories(cctz::cctz SYSTEM INTERFACE ${CCTZ_INCLUDE_DIR})
target_link_libraries(cctz::cctz INTERFACE ${CCTZ_LIBRARY})
