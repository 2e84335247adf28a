/* SPDX-License-Identifier: MIT */
/* listen.h -- room impl: where servers of tests listen, and how long anybody waits for them. */
#ifndef DNA_IMPL_TEST_LISTEN_H
#define DNA_IMPL_TEST_LISTEN_H

#include <CUnit/Basic.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <sys/socket.h>

enum { PATIENCE_S = 15 };

static int listen_somewhere(uint16_t *out_port)
{
    struct sockaddr_in at = { .sin_family = AF_INET };
    socklen_t len = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CU_ASSERT_EQUAL_FATAL(bind(fd, (struct sockaddr *)&at, len), 0);
    listen(fd, 8);
    getsockname(fd, (struct sockaddr *)&at, &len);
    *out_port = ntohs(at.sin_port);
    return fd;
}

#endif
