/* SPDX-License-Identifier: Apache-2.0 */
/*
 * todo/v1/{user}/{chat|actions}/{device}/in → …/out. The broker has checked who may write there, so
 * the topic names the user; it is checked again that the names are well-formed. A device repeats an
 * id until it sees the answer, so an answer that cannot be published now is simply dropped.
 * The broker shares messages out to the sessions of gateways that are away, too: so a session
 * outlives its gateway just long enough for a restart.
 */
#include "gateway/mqtt/intake.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bridge/mqtt/mqtt.h"
#include "gateway/turn/frame.h"
#include "lib/auth/names.h"
#include "lib/base/json.h"
#include "lib/base/log.h"
#include "lib/base/metrics.h"

enum { TOPIC_MAX = 256, SESSION_EXPIRY_S = 30, ANSWER_EXPIRY_S = 600, FRAME_MAX = 16384 };

struct gw_intake {
    struct gw_worker *worker;
    struct mqtt *mqtt; /* NULL: closed, only answers still to come hold it */
    size_t refs;
};

static void unref(struct gw_intake *intake)
{
    if (--intake->refs == 0)
        free(intake);
}

/* Where an answer goes. */
struct origin {
    struct gw_intake *intake;
    char topic[TOPIC_MAX];
};

static void publish(struct gw_intake *intake, const char *topic, struct base_sv frame)
{
    if (!intake->mqtt)
        return;
    enum base_err err = mqtt_publish(intake->mqtt,
                                     &(struct mqtt_publication){.topic = topic,
                                                                .payload = frame,
                                                                .expiry_s = ANSWER_EXPIRY_S,
                                                                .content_type = "application/json"},
                                     NULL, NULL);
    if (err != BASE_OK)
        LOG_WARN("mqtt.answer_dropped", LOG_ERR(err));
}

static void publish_error(struct gw_intake *intake, const char *topic, struct base_sv to,
                          enum base_err err, const char *why)
{
    struct base_buf buf;
    base_buf_init(&buf, 4096);
    base_json_open(&buf, '{');
    base_json_kv_str(&buf, "type", SV("error"));
    base_json_kv_opt(&buf, "to", to);
    base_json_kv_str(&buf, "code", base_sv_from(base_err_code(err)));
    base_json_kv_str(&buf, "message", base_sv_from(why ? why : base_err_text(err)));
    base_json_close(&buf, '}');
    publish(intake, topic, base_buf_sv(&buf));
    base_buf_done(&buf);
}

static void on_answer(struct gw_turn *turn, enum base_err err, struct base_sv reply)
{
    struct origin *origin = turn->answer_ctx;
    if (err == BASE_OK)
        publish(origin->intake, origin->topic, reply);
    else
        publish_error(origin->intake, origin->topic, turn->client_id, err, turn->problem.text);
    unref(origin->intake);
    free(origin);
}

/* user and device of "todo/v1/{user}/{chat|actions}/{device}/in", and the topic of the answer. */
static bool read_topic(struct base_sv topic, struct base_sv *ret_user, struct base_sv *ret_device,
                       char ret_out[TOPIC_MAX])
{
    struct base_sv parts[6];
    struct base_sv rest = topic;
    for (size_t i = 0; i < 6; i++) {
        if (!rest.ptr)
            return false;
        parts[i] = base_sv_split(&rest, '/');
    }
    bool known = base_sv_eq_c(parts[3], "chat") || base_sv_eq_c(parts[3], "actions");
    if (rest.ptr || !known || !base_sv_eq_c(parts[5], "in") || !auth_user_valid(parts[2]) ||
        !auth_device_valid(parts[4]))
        return false;
    *ret_user = parts[2];
    *ret_device = parts[4];
    int n = snprintf(ret_out, TOPIC_MAX, "%.*sout", SV_FMT(base_sv_sub(topic, 0, topic.len - 2)));
    return n > 0 && n < TOPIC_MAX;
}

static void take_frame(struct gw_intake *intake, struct base_sv user_id, struct base_sv device,
                       const char *out, json_t *frame)
{
    const char *why = NULL;
    struct gw_turn *turn;
    struct gw_user *user = gw_hub_user(intake->worker->hub, user_id);
    struct origin *origin = user ? malloc(sizeof(*origin)) : NULL;
    enum base_err err =
        origin ? gw_frame_turn(intake->worker, user, device, frame, &turn, &why) : BASE_NO_MEMORY;
    gw_user_unref(user);
    if (err != BASE_OK) {
        free(origin);
        publish_error(intake, out, gw_frame_id(frame), err, why);
        return;
    }
    origin->intake = intake;
    intake->refs++;
    (void)base_sv_cstr(base_sv_from(out), origin->topic, sizeof(origin->topic));
    turn->answer = on_answer;
    turn->answer_ctx = origin;
    gw_turn_submit(turn);
}

static void on_message(void *ctx, const struct mqtt_message *message)
{
    struct gw_intake *intake = ctx;
    char out[TOPIC_MAX];
    struct base_sv user;
    struct base_sv device;
    json_error_t error;
    base_metric_inc(BASE_M_MQTT_FRAMES);
    if (!read_topic(message->topic, &user, &device, out)) {
        LOG_WARN("mqtt.bad_topic", LOG_SV("topic", message->topic));
        return;
    }
    if (message->payload.len > FRAME_MAX) {
        publish_error(intake, out, SV_NULL, BASE_TOO_LARGE, NULL);
        return;
    }
    json_t *frame = json_loadb(message->payload.ptr ? message->payload.ptr : "",
                               message->payload.len, JSON_REJECT_DUPLICATES, &error);
    if (json_is_object(frame))
        take_frame(intake, user, device, out, frame);
    else
        publish_error(intake, out, SV_NULL, BASE_MALFORMED, "a frame must be a JSON object");
    json_decref(frame);
}

static void on_state(void *ctx, bool up, const char *why)
{
    (void)ctx;
    if (up)
        LOG_INFO("mqtt.up");
    else
        LOG_WARN("mqtt.down", LOG_STR("why", why));
}

enum base_err gw_intake_new(struct gw_worker *worker, struct gw_intake **ret_intake,
                            struct base_buf *errors)
{
    const struct gw_config *config = worker->shared->config;
    char host[65] = "host";
    char client_id[128];
    struct gw_intake *intake = calloc(1, sizeof(*intake));
    if (!intake)
        return BASE_NO_MEMORY;
    intake->worker = worker;
    intake->refs = 1;
    (void)gethostname(host, sizeof(host) - 1);
    /* Stable over restarts, different for each gateway on a machine. */
    (void)snprintf(client_id, sizeof(client_id), "todo-gateway-%s-%d", host,
                   (int)config->listen_port);
    enum base_err err = mqtt_new(&(struct mqtt_options){.loop = worker->base,
                                                        .url = config->mqtt_url,
                                                        .client_id = client_id,
                                                        .password = config->mqtt_token,
                                                        .username = "",
                                                        .session_expiry_s = SESSION_EXPIRY_S,
                                                        .on_message = on_message,
                                                        .on_state = on_state,
                                                        .ctx = intake},
                                 &intake->mqtt, errors);
    if (err == BASE_OK)
        err = mqtt_subscribe(intake->mqtt, "$share/gateways/todo/v1/+/chat/+/in");
    if (err == BASE_OK)
        err = mqtt_subscribe(intake->mqtt, "$share/gateways/todo/v1/+/actions/+/in");
    if (err != BASE_OK) {
        gw_intake_free(intake);
        return err;
    }
    *ret_intake = intake;
    return BASE_OK;
}

void gw_intake_free(struct gw_intake *intake)
{
    if (!intake)
        return;
    mqtt_free(intake->mqtt);
    intake->mqtt = NULL;
    unref(intake);
}

bool gw_intake_up(const struct gw_intake *intake)
{
    return !intake || mqtt_up(intake->mqtt);
}
