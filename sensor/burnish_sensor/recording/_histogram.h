/* histogram.py in C: base-2 exponential histograms of scale 3, and arrays and indexes that grow. */
#ifndef BURNISH_HISTOGRAM_H
#define BURNISH_HISTOGRAM_H

#include "_compat.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define BOUNDS 496           /* of histogram.py: 62 powers of two, 8 steps each */

static int64_t bounds[BOUNDS];

typedef struct {
    uint64_t count, zero;
    int64_t sum, min, max;
    uint16_t first, size;
    uint32_t *counts;
} Histogram;

static int more(void *array, uint32_t *room, size_t size)
{
    uint32_t wanted = *room ? *room * 2 : 2;
    void *moved = realloc(*(void **)array, wanted * size);
    if (moved == NULL) return 0;
    *(void **)array = moved;
    *room = wanted;
    return 1;
}

/* Twice the room of an index by hash with open addressing: slots hold the number of a row + 1, 0: free. `hash` is that
 * of one of the rows. 0: no memory. */
static int regrow(uint32_t **index, uint32_t *mask, const void *rows, uint32_t n, uint32_t (*hash)(const void *, uint32_t))
{
    uint32_t size = *mask ? (*mask + 1) * 2 : 16, *slots = calloc(size, sizeof(uint32_t));
    if (slots == NULL) return 0;
    for (uint32_t i = 0; i < n; i++) {
        uint32_t at = hash(rows, i) & (size - 1);
        while (slots[at]) at = (at + 1) & (size - 1);
        slots[at] = i + 1;
    }
    free(*index);
    *index = slots;
    *mask = size - 1;
    return 1;
}

/* bisect_left(BOUNDS, value) of histogram.py, for value > 0. */
static int position_of(int64_t value)
{
    int i = 8 * (63 - __builtin_clzll((uint64_t)value));
    while (i < BOUNDS && bounds[i] < value) i++;
    return i;
}

/* Make place for positions from first to last. */
static int cover(Histogram *h, int first, int last)
{
    if (h->size && first >= h->first && last < h->first + h->size) return 1;
    int end = h->first + h->size - 1;
    int low = h->size && h->first < first ? h->first : first, high = h->size && end > last ? end : last;
    int before = h->size ? 2 : 1;  /* the first six counts just fill the least that malloc gives */
    low = low > before ? low - before : 0;
    high = high + 4;
    uint32_t *counts = calloc((size_t)(high - low + 1), sizeof(uint32_t));
    if (counts == NULL) return 0;
    if (h->size) memcpy(counts + (h->first - low), h->counts, h->size * sizeof(uint32_t));
    free(h->counts);
    h->counts = counts;
    h->first = (uint16_t)low;
    h->size = (uint16_t)(high - low + 1);
    return 1;
}

static void widen(Histogram *h, int64_t low, int64_t high)
{
    if (!h->count || low < h->min) h->min = low;
    if (high > h->max) h->max = high;
}

static void histogram_add(Histogram *h, int64_t value)
{
    if (value < 0) value = 0;
    int at = value ? position_of(value) : 0;
    if (value && !cover(h, at, at)) return;
    widen(h, value, value);
    h->count++;
    h->sum += value;
    if (value) h->counts[at - h->first]++;
    else h->zero++;
}

static void histogram_merge(Histogram *h, const Histogram *other)
{
    if (!other->count || (other->size && !cover(h, other->first, other->first + other->size - 1))) return;
    for (int i = 0; i < other->size; i++) h->counts[other->first + i - h->first] += other->counts[i];
    widen(h, other->min, other->max);
    h->count += other->count;
    h->sum += other->sum;
    h->zero += other->zero;
}

static PyObject *histogram_data(const Histogram *h)
{
    int first = 0, last = h->size;
    while (first < last && !h->counts[first]) first++;
    while (last > first && !h->counts[last - 1]) last--;
    PyObject *counts = PyTuple_New(last - first);
    for (int i = first; counts != NULL && i < last; i++) {
        PyObject *n = PyLong_FromUnsignedLong(h->counts[i]);
        if (n == NULL) Py_CLEAR(counts);
        else PyTuple_SET_ITEM(counts, i - first, n);
    }
    if (counts == NULL) return NULL;
    return Py_BuildValue("(KLLLKiN)", (unsigned long long)h->count, (long long)h->sum, (long long)h->min,
                         (long long)h->max, (unsigned long long)h->zero, h->first + first, counts);
}

#endif
