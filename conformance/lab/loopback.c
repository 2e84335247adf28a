/* SPDX-License-Identifier: MIT */
/* The loopback interface of the lab's network: up by ioctl, and its route by rtnetlink. */
#include "conformance/lab/loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

int loopback_up(struct dna_diag *diag)
{
    struct ifreq request = { .ifr_name = "lo" };
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int result = -1;

    if (fd >= 0 && ioctl(fd, SIOCGIFFLAGS, &request) == 0) {
        request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
        result = ioctl(fd, SIOCSIFFLAGS, &request);
    }
    if (result)
        dna_diag_set(diag, DNA_CLASS_HARD, "lab: cannot bring the loopback interface up: %s",
                     strerror(errno));
    if (fd >= 0)
        close(fd);
    return result;
}

/* route is one RTM_NEWROUTE with room for its attributes. */
struct route {
    struct nlmsghdr head;
    struct rtmsg message;
    char attributes[128];
};

static struct rtattr *attribute(struct route *route, unsigned short type, const void *data,
                                size_t len)
{
    char *end = (char *)route + NLMSG_ALIGN(route->head.nlmsg_len);
    struct rtattr *at = (struct rtattr *)(void *)end;

    at->rta_type = type;
    at->rta_len = (unsigned short)RTA_LENGTH(len);
    if (len)
        memcpy(RTA_DATA(at), data, len);
    route->head.nlmsg_len = (unsigned)(NLMSG_ALIGN(route->head.nlmsg_len) + RTA_LENGTH(len));
    return at;
}

/* ask sends a request and reads the kernel's answer to it. */
static int ask(struct route *route)
{
    struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
    struct {
        struct nlmsghdr head;
        struct nlmsgerr error;
        char rest[512];
    } answer;
    int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    int result = -1;

    if (fd < 0)
        return -1;
    if (sendto(fd, route, route->head.nlmsg_len, 0, (struct sockaddr *)&kernel,
               sizeof kernel) > 0 &&
        recv(fd, &answer, sizeof answer, 0) >= (ssize_t)(sizeof answer.head + sizeof(int)) &&
        answer.head.nlmsg_type == NLMSG_ERROR && answer.error.error == 0)
        result = 0;
    close(fd);
    return result;
}

/* replace_route sets the route of a prefix, which the kernel made, anew with quick ACKs. */
static int replace_route(const char *prefix, unsigned char len)
{
    struct route route = {
        .head = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
                  .nlmsg_type = RTM_NEWROUTE,
                  .nlmsg_flags = NLM_F_REQUEST | NLM_F_REPLACE | NLM_F_ACK },
        .message = { .rtm_family = AF_INET, .rtm_dst_len = len, .rtm_table = RT_TABLE_LOCAL,
                     .rtm_protocol = RTPROT_KERNEL, .rtm_scope = RT_SCOPE_HOST,
                     .rtm_type = RTN_LOCAL },
    };
    struct in_addr net, source;
    unsigned lo = if_nametoindex("lo"), on = 1;
    struct rtattr *metrics;

    inet_pton(AF_INET, prefix, &net);
    inet_pton(AF_INET, "127.0.0.1", &source);
    attribute(&route, RTA_DST, &net, sizeof net);
    attribute(&route, RTA_OIF, &lo, sizeof lo);
    attribute(&route, RTA_PREFSRC, &source, sizeof source);
    metrics = attribute(&route, RTA_METRICS, NULL, 0);
    attribute(&route, RTAX_QUICKACK, &on, sizeof on);
    metrics->rta_len = (unsigned short)((char *)&route + route.head.nlmsg_len - (char *)metrics);
    return ask(&route);
}

int loopback_quickack(void)
{
    /* 127.0.0.1 has a route of its own, and is where most servers connect from. */
    return replace_route("127.0.0.0", 8) | replace_route("127.0.0.1", 32);
}
