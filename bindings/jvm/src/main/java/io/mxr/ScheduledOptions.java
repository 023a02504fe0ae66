package io.mxr;

/** What need not be given to an optimizer. */
public abstract class ScheduledOptions<T extends ScheduledOptions<T>> extends AttrOptions<T> {
    LRScheduler scheduler;

    ScheduledOptions() {}

    /** Says the learning rate by the number of updates. */
    public T scheduler(LRScheduler scheduler) {
        this.scheduler = scheduler;
        return self();
    }
}
