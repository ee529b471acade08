/* SPDX-License-Identifier: Apache-2.0 */
/* Inside the dialogue: what each intent does, and what the handlers share. */
#ifndef GATEWAY_DIALOGUE_HANDLER_H
#define GATEWAY_DIALOGUE_HANDLER_H

#include "gateway/dialogue/dialogue.h"

/*
 * begin may answer at once or ask for tasks; found goes on with them. A handler with act instead
 * works on the tasks its command points at: the dialogue finds them, asks back when they are not
 * clear, and calls act for each.
 */
struct gw_handler {
    enum gw_step (*begin)(struct gw_dialogue *d);
    enum gw_step (*found)(struct gw_dialogue *d, struct task *tasks, size_t count);
    /* After GW_RECEIPTS. */
    enum gw_step (*receipts)(struct gw_dialogue *d, const struct task_receipt *receipts,
                             size_t count);
    /* After GW_SET. */
    enum gw_step (*set)(struct gw_dialogue *d);
    enum base_err (*act)(struct gw_dialogue *d, const struct task *task,
                         struct task_change *ret_change, struct task_problem *ret_problem);
    /* act: what to say of one changed task, and of several. */
    void (*say_one)(struct gw_dialogue *d, const struct task_change *change);
    enum gw_phrase say_many;
    enum gw_phrase confirm_many; /* asked before more than one is changed */
    unsigned statuses;           /* TASK_QUERY_* among which its target is looked for */
};

const struct gw_handler *gw_handler_of(enum nlu_intent intent);

/* Says a phrase into the reply. */
#define GW_REPLY(d, phrase, ...) GW_SAY(&(d)->reply.text, (d)->language, (phrase), ##__VA_ARGS__)
void gw_reply_line(struct gw_dialogue *d);
void gw_reply_task(struct gw_dialogue *d, struct task *task);
/* A reminder at the due time is what everybody expects; others are named. */
void gw_reply_reminders(struct gw_dialogue *d, const struct task *task);
void gw_reply_problem(struct gw_dialogue *d, enum base_err err, const struct task_problem *problem);
void gw_suggest_text(struct gw_dialogue *d, enum gw_phrase label, struct base_sv text);
void gw_suggest_action(struct gw_dialogue *d, enum gw_phrase label, const char *action,
                       struct base_id task, int64_t minutes);
/* "tomorrow at 09:00" of a due time, as text in the arena. */
struct base_sv gw_due_text(struct gw_dialogue *d, const struct task_due *due);

/* Opens a question; the line that led to it is remembered. */
void gw_ask(struct gw_dialogue *d, enum gw_ask ask);

/* target.c: the tasks a command points at. */
enum gw_step gw_target_begin(struct gw_dialogue *d);
enum gw_step gw_target_found(struct gw_dialogue *d, struct task *tasks, size_t count);

/* patch.c: what was said, as a patch; task is the one to change, or NULL for a new one. */
BASE_MUST_CHECK enum base_err gw_patch(struct gw_dialogue *d, const struct nlu_fields *fields,
                                       const struct task *task, struct task_patch *ret_patch,
                                       struct task_problem *ret_problem);
/* The due time that was said; false (and nothing) if none was. */
bool gw_due_of(struct gw_dialogue *d, const struct nlu_when *when, struct task_due *ret_due);
/* A said point in time as an instant; a date alone counts at the default time. */
int64_t gw_instant_of(struct gw_dialogue *d, const struct nlu_when *when);

/* choice.c: "the second one", "2", "der letzte": a place in a list, negative from its end; 0 if the
 * text is anything else. */
int gw_choice_number(struct base_sv text);
/* "it", "that to": words that name no task but the one spoken of. */
bool gw_choice_is_it(struct base_sv text);
/* "delete all tasks": a line that speaks of more than one. */
bool gw_choice_is_all(struct base_sv text);
/* The words of a title that was spoken of, without articles and the like; at most max. */
size_t gw_choice_words(struct base_sv text, struct base_sv *words, size_t max);

/* list.c: the query of the tasks that the command's filter speaks of. */
void gw_filter(struct gw_dialogue *d);
/* A numbered list in the reply; remembers it. */
void gw_list(struct gw_dialogue *d, struct task *tasks, size_t count);

extern const struct gw_handler gw_create_handler, gw_reminder_set_handler, gw_list_handler,
    gw_reminder_list_handler, gw_complete_handler, gw_reopen_handler, gw_delete_handler,
    gw_skip_handler, gw_dismiss_handler, gw_update_handler, gw_snooze_handler,
    gw_reminder_cancel_handler, gw_undo_handler, gw_why_handler, gw_settings_handler,
    gw_help_handler, gw_greet_handler, gw_bye_handler, gw_thanks_handler, gw_yes_handler,
    gw_no_handler, gw_unknown_handler;

#endif
