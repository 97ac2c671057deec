/* What a broker refuses, told as what its administrator has to allow. */
#include "connectors/kafka_rights.h"

#include <string.h>

bool fb_kafka_is_denied(rd_kafka_resp_err_t code) {
    return code == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED ||
           code == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

bool fb_kafka_denied(struct fb_err *err, rd_kafka_resp_err_t code, const char *right,
                     const char *kind, const char *name) {
    if (!fb_kafka_is_denied(code))
        return false;
    fb_fail(err, FB_FATAL,
            "Kafka denies this client %s on the %s '%s' (%s): let an administrator grant it; "
            "docs/KAFKA.md lists every right that flyball needs, with the commands",
            right, kind, name, rd_kafka_err2name(code));
    return true;
}
