/* placeholder until the engine lands */
#include "tasks/series.h"
enum base_err task_series_begin(const struct task_context *ctx, struct task *task,
                                struct task_problem *ret_problem)
{
    (void)ctx;
    (void)task;
    *ret_problem = (struct task_problem){"recurrence_pattern", "x"};
    return BASE_UNPROCESSABLE;
}
bool task_series_next(const struct task_context *ctx, const struct task *task, bool completed,
                      struct task_due *ret_due)
{
    (void)ctx;
    (void)task;
    (void)completed;
    (void)ret_due;
    return false;
}
