/* The task clock of a file: the running maximum of the records' times, leaps examined.
 *
 * Place in the flow: between the decoder and the tasks of `replay`, before records are split over
 * tasks, so that every task sees the same clock. One owner.
 *
 * C starts at the first record's ts, unless that was a leap: the first record is held, with those
 * behind it that lie below it by more than max_skew. The first that does not lets it stand; one
 * that does, of another device than the second record, or after 1,000 records, or at the end where
 * two or more lie below, tells that it leapt: C starts at the second record's ts, the first record
 * follows it without moving the clock, and the others come in their order.
 *
 * A record that leaps ahead of C by more than max_skew is held, further leaping ones of its device
 * behind it; its others are taken. The next record of another device decides (of the same one where
 * no other was among the 1,000 records before the leap): at or beyond the first leap less max_skew,
 * the held ones are taken first; otherwise, and at the end, they go on without moving the clock.
 *
 * What goes on without moving the clock is refused by the core as `future`. So a single stamp of
 * 2099 harms nobody, wherever it stands, and a real gap of a week is crossed. Where records carry
 * the stamps of their log, these stand for ts; a record whose stamp alone was wrong is then taken
 * like any other. docs/INPUT.md is the exact text. */
#ifndef FB_RUN_FILE_CLOCK_H
#define FB_RUN_FILE_CLOCK_H

#include "engine/model/entry.h"
#include "engine/model/program.h"

struct fb_file_clock;

/* Takes an entry with the clock at c_us. */
typedef void fb_clocked_fn(void *context, const struct fb_entry *entry, int64_t c_us);

/* Of the program's entries; it must outlive the clock. */
struct fb_file_clock *fb_file_clock_new(const struct fb_program *program, int64_t max_skew_us,
                                        fb_clocked_fn *take, void *context);
void fb_file_clock_free(struct fb_file_clock *clock);
/* An entry in the order of the input; the entry's views need to live only during the call. */
void fb_file_clock_entry(struct fb_file_clock *clock, const struct fb_entry *entry);
/* The same by the stamp of its log: C follows the stamps. */
void fb_file_clock_stamped(struct fb_file_clock *clock, const struct fb_entry *entry,
                           int64_t stamp_us);
/* Lets go of what is still held; gives the final C (FB_NO_TIME: nothing was read). */
int64_t fb_file_clock_end(struct fb_file_clock *clock);

#endif
