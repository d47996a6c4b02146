/* What statements calls ran: CallQueries of queries/log.py, and the sums of them. A statement at a call site is a *key*,
 * known by a number; 0 is none. */
#ifndef BURNISH_QUERIES_H
#define BURNISH_QUERIES_H

#include "_histogram.h"

#define KEYS_PER_CALL 200      /* these three as in log.py */
#define HASHES_PER_KEY 1000
#define DRIVERS_PER_CALL 256
#define USE_ROWS 20000         /* these two as in totals.py */
#define QUERY_ROWS 20000

/* A set of hashes of parameters; 0 marks a free slot. */
typedef struct {
    uint64_t *slots;
    uint32_t n, mask;
} Hashes;

/* The executions of one key in one call. */
typedef struct {
    uint32_t key, n, identical;
    uint64_t rows;
    int64_t first, time;
    Hashes hashes;
} KeyUse;

/* An execution that returned more than one row. */
typedef struct {
    int64_t order;
    uint32_t key;
} Driving;

/* What one call ran, the calls below it included. */
typedef struct {
    KeyUse *keys;
    Driving *drivers;
    uint32_t n, room, n_drivers, drivers_room;
} Queries;

/* One key of a call that ended; `driver` 0: none. `function` is its number << 1 | sampled, as in Record; so in UseRow. */
typedef struct {
    uint32_t function, key, n, identical, driver;
    int64_t time;
    uint64_t driver_rows;
} Use;

/* n, Σx, Σy, Σx², Σxy, Σy² of executions (y) on rows of the driver (x); doubles are exact to 2^53. */
typedef struct {
    uint32_t key;
    double sums[6];
} DriverSums;

typedef struct {
    uint32_t function, key, n_drivers;
    uint64_t identical;
    int64_t time;
    Histogram executions;
    DriverSums *drivers;
} UseRow;

typedef struct {
    UseRow *rows;
    uint32_t n, room, mask;
    uint32_t *index;           /* row + 1 by hash, 0: free */
    uint64_t dropped;
} UseTable;

typedef struct {
    PyObject *name;
    uint64_t n;
} ErrorCount;

/* The executions of one key, wherever they ran. */
typedef struct {
    uint32_t key, n_errors;
    int64_t rows;              /* NO_ROWS: no driver told */
    Histogram wall;
    ErrorCount *errors;
} QueryRow;

#define NO_ROWS (-1)

typedef struct {
    QueryRow *rows;
    uint32_t n, room, mask;
    uint32_t *index;           /* as in UseTable */
    uint64_t dropped;          /* executions for which there was no room */
} QueryTable;

/* ---- hashes ---- */

static int hashes_have(const Hashes *set, uint64_t hash)
{
    if (set->mask) {
        for (uint32_t at = (uint32_t)hash & set->mask; set->slots[at]; at = (at + 1) & set->mask) {
            if (set->slots[at] == hash) return 1;
        }
    }
    return 0;
}

static void hashes_put(Hashes *set, uint64_t hash)
{
    if (set->n * 2 >= set->mask) {
        uint32_t size = set->mask ? (set->mask + 1) * 2 : 4;
        uint64_t *slots = calloc(size, sizeof(uint64_t)), *old = set->slots;
        if (slots == NULL) return;
        for (uint32_t i = 0; old != NULL && i <= set->mask; i++) {
            if (!old[i]) continue;
            uint32_t at = (uint32_t)old[i] & (size - 1);
            while (slots[at]) at = (at + 1) & (size - 1);
            slots[at] = old[i];
        }
        free(old);
        set->slots = slots;
        set->mask = size - 1;
    }
    uint32_t at = (uint32_t)hash & set->mask;
    while (set->slots[at]) at = (at + 1) & set->mask;
    set->slots[at] = hash;
    set->n++;
}

/* ---- one call ---- */

static void free_queries(Queries *q)
{
    if (q == NULL) return;
    for (uint32_t i = 0; i < q->n; i++) free(q->keys[i].hashes.slots);
    free(q->keys);
    free(q->drivers);
    free(q);
}

static KeyUse *use_of(const Queries *q, uint32_t key)
{
    for (uint32_t i = 0; i < q->n; i++) {
        if (q->keys[i].key == key) return &q->keys[i];
    }
    return NULL;
}

/* The record of a key; NULL where the call has too many different ones. */
static KeyUse *use_at(Queries *q, uint32_t key, int64_t order)
{
    KeyUse *use = use_of(q, key);
    if (use != NULL || q->n >= KEYS_PER_CALL) return use;
    if (q->n >= q->room && !more(&q->keys, &q->room, sizeof(KeyUse))) return NULL;
    use = &q->keys[q->n++];
    memset(use, 0, sizeof(KeyUse));
    use->key = key;
    use->first = order;
    return use;
}

/* Remember an execution that returned more than one row; a run of the same statement counts once. */
static void note_driver(Queries *q, int64_t order, uint32_t key)
{
    if (q->n_drivers >= DRIVERS_PER_CALL || (q->n_drivers && q->drivers[q->n_drivers - 1].key == key)) return;
    if (q->n_drivers >= q->drivers_room && !more(&q->drivers, &q->drivers_room, sizeof(Driving))) return;
    q->drivers[q->n_drivers++] = (Driving){order, key};
}

static void use_parameters(KeyUse *use, uint64_t hash)
{
    if (hashes_have(&use->hashes, hash)) use->identical++;
    else if (use->hashes.n < HASHES_PER_KEY) hashes_put(&use->hashes, hash);
}

/* Add what a call below did; parameters of both are identical once more. */
static void add_queries(Queries *mine, const Queries *theirs)
{
    for (uint32_t i = 0; i < theirs->n; i++) {
        const KeyUse *other = &theirs->keys[i];
        KeyUse *use = use_at(mine, other->key, other->first);
        if (use == NULL) continue;
        if (other->first < use->first) use->first = other->first;
        use->n += other->n;
        use->rows += other->rows;
        use->time += other->time;
        use->identical += other->identical;
        int room = use->hashes.n < HASHES_PER_KEY;
        for (uint32_t h = 0; other->hashes.slots != NULL && h <= other->hashes.mask; h++) {
            uint64_t hash = other->hashes.slots[h];
            if (!hash) continue;
            if (hashes_have(&use->hashes, hash)) use->identical++;
            else if (room) hashes_put(&use->hashes, hash);
        }
    }
    for (uint32_t i = 0; i < theirs->n_drivers; i++) note_driver(mine, theirs->drivers[i].order, theirs->drivers[i].key);
}

/* Add `theirs` to what may be NULL, and give it up: the usual case, one call above another, copies nothing. */
static void merge_queries(Queries **mine, Queries *theirs)
{
    if (*mine == NULL) {
        *mine = theirs;
    } else if (theirs != NULL) {
        add_queries(*mine, theirs);
        free_queries(theirs);
    }
}

/* The last execution of another statement with more than one row before the first one of a key; 0: none. */
static uint32_t driver_of(const Queries *q, const KeyUse *use, const uint32_t *statements)
{
    const Driving *found = NULL;
    for (uint32_t i = 0; i < q->n_drivers; i++) {
        const Driving *driver = &q->drivers[i];
        if (driver->order >= use->first || statements[driver->key] == statements[use->key]) continue;
        if (found == NULL || driver->order > found->order) found = driver;
    }
    return found != NULL ? found->key : 0;
}

static unsigned long long executions_in(const Queries *q)
{
    unsigned long long n = 0;
    for (uint32_t i = 0; q != NULL && i < q->n; i++) n += q->keys[i].n;
    return n;
}

/* ---- sums ---- */

static uint32_t use_hash(uint32_t function, uint32_t key) { return (function * 2654435761u ^ key * 2246822519u) >> 5; }

static uint32_t hash_of_use(const void *rows, uint32_t i)
{
    const UseRow *row = &((const UseRow *)rows)[i];
    return use_hash(row->function, row->key);
}

static UseRow *use_row(UseTable *t, uint32_t function, uint32_t key)
{
    if ((t->n + 1) * 2 > t->mask && !regrow(&t->index, &t->mask, t->rows, t->n, hash_of_use)) return NULL;
    uint32_t at = use_hash(function, key) & t->mask;
    for (; t->index[at]; at = (at + 1) & t->mask) {
        UseRow *row = &t->rows[t->index[at] - 1];
        if (row->function == function && row->key == key) return row;
    }
    if (t->n >= USE_ROWS || (t->n >= t->room && !more(&t->rows, &t->room, sizeof(UseRow)))) {
        t->dropped++;
        return NULL;
    }
    UseRow *row = &t->rows[t->n];
    memset(row, 0, sizeof(UseRow));
    row->function = function;
    row->key = key;
    t->index[at] = ++t->n;
    return row;
}

static void add_driver(UseRow *row, uint32_t key, const double *sums)
{
    uint32_t i = 0;
    while (i < row->n_drivers && row->drivers[i].key != key) i++;
    if (i == row->n_drivers) {
        DriverSums *drivers = realloc(row->drivers, (i + 1) * sizeof(DriverSums));
        if (drivers == NULL) return;
        row->drivers = drivers;
        row->drivers[row->n_drivers++] = (DriverSums){key, {0}};
    }
    for (int k = 0; k < 6; k++) row->drivers[i].sums[k] += sums[k];
}

static void add_use(UseTable *t, const Use *use)
{
    UseRow *row = use_row(t, use->function, use->key);
    if (row == NULL) return;
    histogram_add(&row->executions, use->n);
    row->identical += use->identical;
    row->time += use->time;
    if (use->driver) {
        double x = (double)use->driver_rows, y = use->n;
        add_driver(row, use->driver, (double[6]){1, x, y, x * x, x * y, y * y});
    }
}

static void free_use(UseRow *row)
{
    free(row->executions.counts);
    free(row->drivers);
}

static void clear_uses(UseTable *t)
{
    for (uint32_t i = 0; i < t->n; i++) free_use(&t->rows[i]);
    free(t->rows);
    free(t->index);
    memset(t, 0, sizeof(UseTable));
}

static void merge_uses(UseTable *t, const UseTable *other)
{
    for (uint32_t i = 0; i < other->n; i++) {
        const UseRow *from = &other->rows[i];
        UseRow *row = use_row(t, from->function, from->key);
        if (row == NULL) continue;
        histogram_merge(&row->executions, &from->executions);
        row->identical += from->identical;
        row->time += from->time;
        for (uint32_t d = 0; d < from->n_drivers; d++) add_driver(row, from->drivers[d].key, from->drivers[d].sums);
    }
    t->dropped += other->dropped;
}

static size_t uses_bytes(const UseTable *t)
{
    size_t bytes = t->room * sizeof(UseRow) + (t->mask ? (t->mask + 1) * sizeof(uint32_t) : 0);
    for (uint32_t i = 0; i < t->n; i++) {
        bytes += t->rows[i].executions.size * sizeof(uint32_t) + t->rows[i].n_drivers * sizeof(DriverSums);
    }
    return bytes;
}

/* ---- executions by key ---- */

/* Count the type of an error. Comparing the names, which are exact strings, runs no Python code. */
static void count_error(ErrorCount **errors, uint32_t *known, PyObject *name, uint64_t n)
{
    for (uint32_t i = 0; i < *known; i++) {
        if ((*errors)[i].name == name || PyUnicode_Compare((*errors)[i].name, name) == 0) {
            (*errors)[i].n += n;
            return;
        }
    }
    ErrorCount *moved = realloc(*errors, (*known + 1) * sizeof(ErrorCount));
    if (moved == NULL) return;
    *errors = moved;
    moved[(*known)++] = (ErrorCount){Py_NewRef(name), n};
}

static void free_errors(ErrorCount *errors, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) Py_DECREF(errors[i].name);
    free(errors);
}

static uint32_t hash_of_query(const void *rows, uint32_t i) { return use_hash(0, ((const QueryRow *)rows)[i].key); }

/* The row of a key; NULL where there is no room, which the caller counts. */
static QueryRow *query_row(QueryTable *t, uint32_t key)
{
    if ((t->n + 1) * 2 > t->mask && !regrow(&t->index, &t->mask, t->rows, t->n, hash_of_query)) return NULL;
    uint32_t at = use_hash(0, key) & t->mask;
    for (; t->index[at]; at = (at + 1) & t->mask) {
        QueryRow *row = &t->rows[t->index[at] - 1];
        if (row->key == key) return row;
    }
    if (t->n >= QUERY_ROWS || (t->n >= t->room && !more(&t->rows, &t->room, sizeof(QueryRow)))) return NULL;
    QueryRow *row = &t->rows[t->n];
    memset(row, 0, sizeof(QueryRow));
    row->key = key;
    row->rows = NO_ROWS;
    t->index[at] = ++t->n;
    return row;
}

static void add_rows(QueryRow *row, int64_t rows)
{
    if (rows != NO_ROWS) row->rows = (row->rows != NO_ROWS ? row->rows : 0) + rows;
}

static void merge_query_tables(QueryTable *t, const QueryTable *other)
{
    for (uint32_t i = 0; i < other->n; i++) {
        const QueryRow *from = &other->rows[i];
        QueryRow *row = query_row(t, from->key);
        if (row == NULL) {
            t->dropped += from->wall.count;
            continue;
        }
        histogram_merge(&row->wall, &from->wall);
        add_rows(row, from->rows);
        for (uint32_t e = 0; e < from->n_errors; e++) {
            count_error(&row->errors, &row->n_errors, from->errors[e].name, from->errors[e].n);
        }
    }
    t->dropped += other->dropped;
}

static void free_query(QueryRow *row)
{
    free(row->wall.counts);
    free_errors(row->errors, row->n_errors);
}

static void clear_query_table(QueryTable *t)
{
    for (uint32_t i = 0; i < t->n; i++) free_query(&t->rows[i]);
    free(t->rows);
    free(t->index);
    memset(t, 0, sizeof(QueryTable));
}

static size_t query_bytes(const QueryTable *t)
{
    size_t bytes = t->room * sizeof(QueryRow) + (t->mask ? (t->mask + 1) * sizeof(uint32_t) : 0);
    for (uint32_t i = 0; i < t->n; i++) {
        bytes += t->rows[i].wall.size * sizeof(uint32_t) + t->rows[i].n_errors * sizeof(ErrorCount);
    }
    return bytes;
}

#endif
