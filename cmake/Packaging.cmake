# cpack --config build/release/CPackConfig.cmake: a Debian package of daemons, tools, page and manual.
install(FILES packaging/todo-gateway.service packaging/todo-bridge.service DESTINATION lib/systemd/system)
install(FILES packaging/gateway.conf packaging/bridge.conf DESTINATION /etc/todo-chatbot)
install(DIRECTORY web/dist/ DESTINATION ${CMAKE_INSTALL_DATADIR}/todo-chatbot/web OPTIONAL)
install(FILES docs/man/todo-gateway.8 docs/man/todo-bridge.8 docs/man/todo-admin.8
        DESTINATION ${CMAKE_INSTALL_MANDIR}/man8)
install(FILES docs/man/todo-nlu.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_PACKAGE_CONTACT "The Todo Chatbot developers")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "To-do chatbot: gateway, bridge and tools")
set(CPACK_STRIP_FILES ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION net)
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
# libwebsockets loads its libuv part at run time.
set(CPACK_DEBIAN_PACKAGE_DEPENDS "tzdata, libwebsockets-evlib-uv")
file(WRITE ${CMAKE_BINARY_DIR}/conffiles "/etc/todo-chatbot/gateway.conf\n/etc/todo-chatbot/bridge.conf\n")
set(CPACK_DEBIAN_PACKAGE_CONTROL_EXTRA ${CMAKE_BINARY_DIR}/conffiles)
include(CPack)
