/* The native recorder: the same results as recorder.py, slices.py and histogram.py, at a tenth of their cost.
 *
 * Everything here runs with the GIL held, which is the only lock. Nothing raises out of a hook.
 *
 * Each thread has a shadow stack of the calls that are being recorded. A frame of it is known by the address of the
 * interpreter's own frame: that names a running call, and one whose end was missed is found out because its address is
 * no longer there. When a call ends, a record is appended to the log of the work that it is a part of; logs are folded
 * into tables, one for each name of an entry, when they are long, when the entry ends and when the tables are taken.
 *
 * After any call into Python, the stack of this thread may have changed (another thread may have cut it): positions and
 * pointers into it are looked up again.
 */

#include "_compat.h"
#include "_histogram.h"
#include "_queries.h"

#include <time.h>

#define LOG_RECORDS 4096     /* folded beyond; 96 KiB */
#define STACK_FRAMES 10000   /* calls that are deeper are not recorded */
#define STALE_FRAMES 16      /* how far below the top the end of a call is looked for */
#define CALLER_FRAMES 40     /* how far an unrecorded caller is looked for: through a web framework's layers */
#define SEED_FRAMES 400
#define FIRST_HEAL 512
#define SUSPENDED 100000     /* generators and coroutines that wait; beyond, the oldest is given up */
#define NUMBERS (1 << 24)
#define MOST_KEYS 100000     /* statements at call sites */
#define PLACES_KEPT 256      /* places in code whose line is remembered; they keep so many code objects alive */
#define PAGE 256
#define NEVER INT64_MAX
#define OFTEN(condition) __builtin_expect(!!(condition), 1)
#define SELDOM(condition) __builtin_expect(!!(condition), 0)

enum { OFF, COUNT, TIMED, DRAIN };
enum { FUNCTION, GENERATOR, COROUTINE, ASYNC_GENERATOR };
enum { NESTED = 1, PARTIAL = 2 };
enum { ABOVE = 1, CALL_SITE = 2 };  /* a statement ran in a call of a function; it was the nearest to one */

/* Calls of one kind that are offered as exemplars: those whose random tag is not below the bar are counted only. */
typedef struct {
    double bar;
    uint32_t passed, passed_sampled;
} Screen;

typedef struct {
    uint64_t recorder;       /* the id of the owner: code objects may outlive it */
    uint32_t number;
    uint8_t form, kind, sampled, bound, marked, asked;  /* asked: ABOVE or CALL_SITE, since last told */
    uint32_t epoch;          /* grows when running calls are cut */
    uint32_t live;           /* calls that run or wait now */
    uint64_t counted;        /* in form COUNT, since last taken */
    uint64_t ended;          /* recorded calls so far */
    uint64_t calls, slices;  /* since the meter was last read */
    int64_t wall;
    int64_t slow_ns;         /* the exemplar trigger */
    uint32_t every, countdown;
    Screen screens[2];       /* of the even sample, of the slow calls */
} Function;

typedef struct {
    uint32_t key;            /* number << 1 | sampled */
    uint32_t caller;
    int64_t wall, own;       /* wall -1: a call inside a call of the same function */
} Record;

typedef struct {
    uint32_t key;
    PyObject *name;
} Error;

typedef struct {
    uint32_t caller;
    uint64_t n;
    int64_t wall;
} Caller;

typedef struct {
    uint32_t key, n_callers, callers_room, n_errors;
    Caller *callers;
    ErrorCount *errors;
    Histogram wall, own;
} Row;

typedef struct {
    Row *rows;
    uint32_t n, room, mask;
    uint32_t *index;         /* row + 1 by hash, 0: free */
} Table;

typedef struct {
    PyObject *name;
    Table table;
    UseTable uses;
    QueryTable queries;
} Named;

typedef struct Execution Execution;

/* Base of the Python class of a piece of work. */
typedef struct {
    PyObject_HEAD
    char open;
    uint32_t n, room, n_errors, errors_room, n_uses, uses_room, n_executions, executions_room;
    long long query_count, start, wall;  /* start and wall: of an entry, in ns */
    Record *log;
    Error *errors;
    Use *uses;
    Execution **executions;  /* that are to be folded: later, as rows are still being fetched */
    Named *partial;          /* what was folded before the name is known */
} CallLog;

#define NONE_BELOW (-1)

typedef struct Stack Stack;

/* A call in slices, or an entry (function NULL). The token that rewritten code and entries hold. */
typedef struct Call {
    PyObject_HEAD
    Function *function;
    CallLog *context;
    Queries *totals;         /* of the slices so far */
    Stack *stack;            /* where it runs */
    void *iframe;
    PyObject *weak;          /* of the generator, where its end may go unreported */
    int64_t own, first, past_overhead, stopped;
    uint32_t caller, shown, epoch;
    uint8_t nested, running, ended, partial;
    struct Call *next, *older, *newer;
} Call;

typedef struct {
    Function *function;      /* NULL: an entry */
    void *iframe;
    int64_t start, child, overhead;
    Queries *queries;
    CallLog *context;
    Call *call;              /* NULL: a plain call */
    uint32_t shown;          /* the function that calls above see as their caller */
    uint32_t caller, flags;
} Frame;

/* One of those of a thread; each greenlet has one. */
struct Stack {
    int64_t key;
    int64_t below;           /* key of the stack that it stands on: its lowest frame is lent by it; NONE_BELOW */
    int64_t since, started;  /* when it was last left, and entered */
    int64_t worked;          /* how long stacks that stand on it ran since it was left */
    int n, room, next_heal, n_pages;
    Frame *frames;
    uint16_t **pages;        /* how often each function is on it */
};

typedef struct {
    PyThreadState *thread;
    uint64_t id;
    CallLog *root;           /* of what runs outside of entries */
    Stack *current;
    Stack **stacks;
    int n_stacks;
} State;

/* Where a statement ran. */
typedef struct {
    uint32_t statement, function, file;
    int line;
} Place;

/* A place in code that ran a statement. */
typedef struct {
    PyObject *code;
    int at, line;
} Seen;

typedef struct {
    PyObject_HEAD
    uint64_t id;
    PyInterpreterState *interpreter;
    PyObject *clock, *entry, *make_context;
    PyObject *full, *capture, *wake, *discover, *disable;
    long long cost, slice_end, room, dropped, names_room, first_slow_ns;
    char closed, roused, grew;
    char was_sampled;        /* any function, ever: calls may run that are not recorded */
    char taken;              /* the end of what is taken has to be told */
    Function **functions;
    uint32_t n_functions, sampled;
    State **states;
    int n_states;
    PyObject *names;
    Named *named, *taking;
    int n_named, n_taking;
    struct Writing *writing; /* the window that is being written; see _json.h */
    PyObject *key_list, *statement_numbers, *file_numbers;
    uint32_t *statements;    /* the number of a key's statement */
    Place *places;           /* the rest of it; both by the key's number */
    uint32_t *key_index;     /* the numbers of keys by their hash, 0: free */
    uint32_t n_keys, keys_room, places_room, key_mask;
    int64_t order;           /* statements at sites so far */
    Seen seen[PLACES_KEPT];
    uint64_t dropped_uses;
    uint64_t folded;         /* calls, since it was last set to 0 */
    uint32_t *asking, n_asking, asking_room;  /* functions that are `asked` */
    Call **waiting;          /* suspended calls by iframe */
    uint32_t waiting_mask, n_waiting;
    Call *oldest, *newest;
    uint32_t ticks;
    uint64_t random;
} Recorder;

static PyTypeObject *call_log_type, *call_type, *recorder_type, *execution_type, *lent_type;
static PyObject *missing;
static Py_ssize_t extra_index = -1;
static uint64_t recorders;
#ifdef __GLIBC__  /* musl has no room for it in a library that is loaded later */
#define QUICK __attribute__((tls_model("initial-exec")))
#else
#define QUICK
#endif
static __thread int busy QUICK;    /* hooks do nothing while this thread runs Python code of the sensor */
static __thread struct {
    uint64_t recorder;
    PyThreadState *thread;
    uint64_t id;
    State *state;
} cached QUICK;

/* ---- small things ---- */

/* Call into Python from a hook: what it raises is swallowed, what was raised before stays. */
static PyObject *quietly(PyObject *callable, PyObject *arguments)
{
    PyObject *type, *value, *trace, *result = NULL;
    PyErr_Fetch(&type, &value, &trace);
    if (callable != NULL && callable != Py_None && arguments != NULL) {
        Py_INCREF(callable);
        busy++;
        result = PyObject_Call(callable, arguments, NULL);
        busy--;
        Py_DECREF(callable);
    }
    if (result == NULL) PyErr_Clear();
    Py_XDECREF(arguments);
    PyErr_Restore(type, value, trace);
    return result;
}

static int64_t now_of(Recorder *r)
{
    struct timespec time;
    if (SELDOM(r->clock != NULL)) {
        PyObject *told = quietly(r->clock, PyTuple_New(0));
        int64_t now = told != NULL ? PyLong_AsLongLong(told) : 0;
        Py_XDECREF(told);
        if (PyErr_Occurred()) PyErr_Clear();
        return now;
    }
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static PyObject *name_of_type(PyObject *type)
{
    PyTypeObject *kind = (PyTypeObject *)type;
    if (kind->tp_flags & Py_TPFLAGS_HEAPTYPE) return Py_NewRef(((PyHeapTypeObject *)kind)->ht_name);
    const char *dot = strrchr(kind->tp_name, '.');
    return PyUnicode_InternFromString(dot != NULL ? dot + 1 : kind->tp_name);
}

/* How iteration ends, which is no error. */
static int is_protocol(PyObject *type)
{
    PyTypeObject *kind = (PyTypeObject *)type;
    return PyType_IsSubtype(kind, (PyTypeObject *)PyExc_StopIteration) ||
           PyType_IsSubtype(kind, (PyTypeObject *)PyExc_StopAsyncIteration) ||
           PyType_IsSubtype(kind, (PyTypeObject *)PyExc_GeneratorExit);
}

/* ---- tables ---- */

/* What there is no memory for in this process: 1: new callers of known functions, 2: new rows. */
static int narrow;
static uint64_t given_up;

static uint32_t hash_of(uint32_t key) { return key * 2654435761u >> 7; }

static uint32_t hash_of_row(const void *rows, uint32_t i) { return hash_of(((const Row *)rows)[i].key); }

static Row *row_of(Table *t, uint32_t key)
{
    uint32_t at = 0;
    if (t->mask) {
        for (at = hash_of(key) & t->mask; t->index[at]; at = (at + 1) & t->mask) {
            Row *row = &t->rows[t->index[at] - 1];
            if (row->key == key) return row;
        }
    }
    if (SELDOM(narrow > 1)) {
        given_up++;
        return NULL;
    }
    if (t->n >= t->room && !more(&t->rows, &t->room, sizeof(Row))) return NULL;
    if ((t->n + 1) * 2 > t->mask) {
        if (!regrow(&t->index, &t->mask, t->rows, t->n, hash_of_row)) return NULL;
        for (at = hash_of(key) & t->mask; t->index[at]; at = (at + 1) & t->mask) {}
    }
    Row *row = &t->rows[t->n];
    memset(row, 0, sizeof(Row));
    row->key = key;
    t->index[at] = ++t->n;
    return row;
}

static void add_caller(Row *row, uint32_t caller, uint64_t n, int64_t wall)
{
    Caller *callers = row->callers, found = {caller, 0, 0};
    uint32_t i = 0;
    while (i < row->n_callers && callers[i].caller != caller) i++;
    if (i == row->n_callers) {
        if (SELDOM(narrow && i)) return;
        if (!i && (row->callers = malloc(sizeof(Caller))) != NULL) row->callers_room = 1;  /* most have one */
        if (i >= row->callers_room && !more(&row->callers, &row->callers_room, sizeof(Caller))) return;
        callers = row->callers;
        row->n_callers++;
    } else {
        found = callers[i];
    }
    found.n += n;
    found.wall += wall;
    if (i) callers[i] = callers[i / 2];  /* who calls often is found early */
    callers[i / 2] = found;
}

static void add_error(Row *row, PyObject *name, uint64_t n)
{
    count_error(&row->errors, &row->n_errors, name, n);
}

static void free_row(Row *row)
{
    free_errors(row->errors, row->n_errors);
    free(row->callers);
    free(row->wall.counts);
    free(row->own.counts);
}

static void clear_table(Table *t)
{
    for (uint32_t i = 0; i < t->n; i++) free_row(&t->rows[i]);
    free(t->rows);
    free(t->index);
    memset(t, 0, sizeof(Table));
}

static void merge_table(Table *t, Table *other)
{
    for (uint32_t i = 0; i < other->n; i++) {
        Row *from = &other->rows[i], *row = row_of(t, from->key);
        if (row == NULL) continue;
        for (uint32_t c = 0; c < from->n_callers; c++) {
            add_caller(row, from->callers[c].caller, from->callers[c].n, from->callers[c].wall);
        }
        for (uint32_t e = 0; e < from->n_errors; e++) add_error(row, from->errors[e].name, from->errors[e].n);
        histogram_merge(&row->wall, &from->wall);
        histogram_merge(&row->own, &from->own);
    }
}

static size_t table_bytes(const Table *t)
{
    size_t bytes = t->room * sizeof(Row) + (t->mask ? (t->mask + 1) * sizeof(uint32_t) : 0);
    for (uint32_t i = 0; i < t->n; i++) {
        const Row *row = &t->rows[i];
        bytes += row->callers_room * sizeof(Caller) + row->n_errors * sizeof(ErrorCount);
        bytes += (size_t)(row->wall.size + row->own.size) * sizeof(uint32_t);
    }
    return bytes;
}

/* ---- logs ---- */

static void drop_executions(CallLog *log);
static void fold_executions(CallLog *log, QueryTable *t);

static void clear_folded(Named *named)
{
    clear_table(&named->table);
    clear_uses(&named->uses);
    clear_query_table(&named->queries);
}

static void clear_log(CallLog *log)
{
    for (uint32_t i = 0; i < log->n_errors; i++) Py_DECREF(log->errors[i].name);
    log->n = log->n_errors = log->n_uses = 0;
    drop_executions(log);
    if (log->partial != NULL) clear_folded(log->partial);
}

static void fold_log(CallLog *log, Named *named)
{
    Table *t = &named->table;
    for (uint32_t i = 0; i < log->n; i++) {
        const Record *record = &log->log[i];
        Row *row = row_of(t, record->key);
        if (row == NULL) continue;
        add_caller(row, record->caller, 1, record->wall > 0 ? record->wall : 0);
        histogram_add(&row->own, record->own);
        if (record->wall >= 0) histogram_add(&row->wall, record->wall);
    }
    for (uint32_t i = 0; i < log->n_errors; i++) {
        Row *row = row_of(t, log->errors[i].key);
        if (row != NULL) add_error(row, log->errors[i].name, 1);
        Py_DECREF(log->errors[i].name);
    }
    for (uint32_t i = 0; i < log->n_uses; i++) add_use(&named->uses, &log->uses[i]);
    log->n = log->n_errors = log->n_uses = 0;
}

static Named *partial_of(CallLog *log)
{
    if (log->partial == NULL) log->partial = calloc(1, sizeof(Named));
    return log->partial;
}

static int fold_partly(CallLog *log)
{
    if (partial_of(log) == NULL) return 0;
    fold_log(log, log->partial);
    return 1;
}

static void record(CallLog *log, Function *f, uint32_t caller, int64_t wall, int64_t own)
{
    f->calls++;
    f->ended++;
    if (wall > 0) f->wall += wall;
    if (!log->open) return;
    if (log->n >= log->room &&
        (log->n >= LOG_RECORDS ? !fold_partly(log) : !more(&log->log, &log->room, sizeof(Record)))) return;
    log->log[log->n++] = (Record){f->number << 1 | f->sampled, caller, wall, own};
}

/* Count the type of an error against a function. */
static void record_error(CallLog *log, Function *f, PyObject *type)
{
    if (!log->open || is_protocol(type)) return;
    if (log->n_errors >= log->errors_room &&
        (log->n_errors >= LOG_RECORDS ? !fold_partly(log) : !more(&log->errors, &log->errors_room, sizeof(Error)))) return;
    PyObject *name = name_of_type(type);
    if (name == NULL) PyErr_Clear();
    else log->errors[log->n_errors++] = (Error){f->number << 1 | f->sampled, name};
}

static void record_use(CallLog *log, Use use)
{
    if (log->n_uses >= log->uses_room &&
        (log->n_uses >= LOG_RECORDS ? !fold_partly(log) : !more(&log->uses, &log->uses_room, sizeof(Use)))) return;
    log->uses[log->n_uses++] = use;
}

static void log_dealloc(CallLog *log)
{
    PyTypeObject *type = Py_TYPE(log);
    clear_log(log);
    free(log->log);
    free(log->errors);
    free(log->uses);
    free(log->executions);
    free(log->partial);
    type->tp_free((PyObject *)log);
    Py_DECREF(type);
}

static PyObject *log_new(PyTypeObject *type, PyObject *Py_UNUSED(arguments), PyObject *Py_UNUSED(names))
{
    CallLog *log = (CallLog *)type->tp_alloc(type, 0);
    if (log != NULL) log->open = 1;
    return (PyObject *)log;
}

static PyMemberDef log_members[] = {
    {"open", T_BOOL, offsetof(CallLog, open), 0, "whether calls are still recorded here"},
    {"query_count", T_LONGLONG, offsetof(CallLog, query_count), 0, "statements that ran"},
    {"start", T_LONGLONG, offsetof(CallLog, start), 0, "when the entry began, in ns of the clock"},
    {"wall", T_LONGLONG, offsetof(CallLog, wall), 0, "how long it took, in ns"},
    {NULL},
};
static PyType_Slot log_slots[] = {
    {Py_tp_doc, "The calls that are part of a piece of work."},
    {Py_tp_new, log_new},
    {Py_tp_dealloc, log_dealloc},
    {Py_tp_members, log_members},
    {0, NULL},
};
static PyType_Spec log_spec = {
    "burnish_sensor.recording._core.CallLog", sizeof(CallLog), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_BASETYPE, log_slots};

static void call_dealloc(Call *call)
{
    PyTypeObject *type = Py_TYPE(call);
    Py_XDECREF(call->context);
    free_queries(call->totals);
    Py_XDECREF(call->weak);
    type->tp_free((PyObject *)call);
    Py_DECREF(type);
}

static PyMemberDef call_members[] = {
    {"context", T_OBJECT, offsetof(Call, context), READONLY, "the work that it is a part of"},
    {NULL},
};
static PyType_Slot call_slots[] = {
    {Py_tp_doc, "A running call of a generator or coroutine, or a running entry."},
    {Py_tp_dealloc, call_dealloc},
    {Py_tp_members, call_members},
    {0, NULL},
};
static PyType_Spec call_spec = {"burnish_sensor.recording._core.Call", sizeof(Call), 0, Py_TPFLAGS_DEFAULT, call_slots};

static Call *new_call(Function *f, CallLog *context)
{
    Call *call = (Call *)call_type->tp_alloc(call_type, 0);
    if (call == NULL) {
        PyErr_Clear();
        return NULL;
    }
    call->function = f;
    call->epoch = f != NULL ? f->epoch : 0;
    call->context = (CallLog *)Py_NewRef((PyObject *)context);
    return call;
}

/* ---- functions ---- */

static Function *function_of(Recorder *r, long number)
{
    if (OFTEN(number > 0 && (unsigned long)number < r->n_functions && r->functions[number] != NULL)) {
        return r->functions[number];
    }
    if (number <= 0 || number >= NUMBERS) return NULL;
    if ((unsigned long)number >= r->n_functions) {
        uint32_t size = r->n_functions ? r->n_functions : 256;
        while (size <= (unsigned long)number) size *= 2;
        Function **functions = realloc(r->functions, size * sizeof(Function *));
        if (functions == NULL) return NULL;
        memset(functions + r->n_functions, 0, (size - r->n_functions) * sizeof(Function *));
        r->functions = functions;
        r->n_functions = size;
    }
    Function *f = r->functions[number] = calloc(1, sizeof(Function));
    if (f == NULL) return NULL;
    f->recorder = r->id;
    f->number = (uint32_t)number;
    f->form = TIMED;
    f->slow_ns = r->first_slow_ns;
    f->screens[0].bar = f->screens[1].bar = 1.0;
    return f;
}

static Function *argument_function(Recorder *r, PyObject *number)
{
    long value = PyLong_AsLong(number);
    if (value == -1 && PyErr_Occurred()) {
        PyErr_Clear();
        return NULL;
    }
    return function_of(r, value);
}

static Function *of_code(Recorder *r, PyObject *code)
{
    void *extra = NULL;
    if (code_get_extra(code, extra_index, &extra) < 0) {
        PyErr_Clear();
        return NULL;
    }
    Function *f = extra;
    return f != NULL && f->recorder == r->id ? f : NULL;
}

/* ---- stacks ---- */

static uint16_t *depth_of(Stack *k, Function *f)
{
    static uint16_t nowhere;
    int page = (int)(f->number / PAGE);
    if (page >= k->n_pages) {
        int n = page + 8;
        uint16_t **pages = realloc(k->pages, (size_t)n * sizeof(uint16_t *));
        if (pages == NULL) return &nowhere;
        memset(pages + k->n_pages, 0, (size_t)(n - k->n_pages) * sizeof(uint16_t *));
        k->pages = pages;
        k->n_pages = n;
    }
    if (k->pages[page] == NULL) k->pages[page] = calloc(PAGE, sizeof(uint16_t));
    return k->pages[page] != NULL ? &k->pages[page][f->number % PAGE] : &nowhere;
}

static Stack *new_stack(int64_t key)
{
    Stack *k = calloc(1, sizeof(Stack));
    if (k == NULL) return NULL;
    k->key = key;
    k->below = NONE_BELOW;
    k->next_heal = FIRST_HEAL;
    return k;
}

/* What is owned by a frame that is off the stack already. */
static void release(Frame *frame)
{
    free_queries(frame->queries);
    Py_XDECREF(frame->call);
    Py_XDECREF(frame->context);
}

/* The bookkeeping of a frame that leaves its stack. `ends`: its call does not wait but is over. */
static void off_stack(Stack *k, Frame *frame, int ends)
{
    Function *f = frame->function;
    if (f != NULL) {
        uint16_t *depth = depth_of(k, f);
        if (*depth) --*depth;
        if (ends && f->live) f->live--;
    }
    if (frame->call != NULL) {
        frame->call->running = 0;
        frame->call->stack = NULL;
        if (ends) frame->call->ended = 1;
    }
}

/* Forget what is above a position: calls whose end was missed. Their time below passes down. */
static void drop_above(Stack *k, int at)
{
    while (SELDOM(k->n > at + 1)) {
        Frame stale = k->frames[--k->n];
        if (at >= 0) {
            k->frames[k->n - 1].child += stale.child;
            k->frames[k->n - 1].overhead += stale.overhead;
        }
        off_stack(k, &stale, stale.call == NULL);
        release(&stale);
    }
}

static void free_stack(Stack *k)
{
    drop_above(k, -1);
    for (int i = 0; i < k->n_pages; i++) free(k->pages[i]);
    free(k->pages);
    free(k->frames);
    free(k);
}

static void free_state(State *s)
{
    for (int i = 0; i < s->n_stacks; i++) free_stack(s->stacks[i]);
    free(s->stacks);
    Py_XDECREF(s->root);
    free(s);
}

static State *new_state(Recorder *r, PyThreadState *thread)
{
    PyObject *root = quietly(r->make_context, PyTuple_New(0));
    State *s = calloc(1, sizeof(State));
    State **states = realloc(r->states, (size_t)(r->n_states + 1) * sizeof(State *));
    if (states != NULL) r->states = states;
    if (s != NULL) s->stacks = malloc(sizeof(Stack *));
    if (s != NULL && s->stacks != NULL) s->current = new_stack(0);
    if (root == NULL || !PyObject_TypeCheck(root, call_log_type) || states == NULL || s == NULL || s->current == NULL) {
        if (s != NULL) {
            free(s->current);
            free(s->stacks);
        }
        free(s);
        Py_XDECREF(root);
        return NULL;
    }
    s->thread = thread;
    s->id = thread->id;
    s->root = (CallLog *)root;
    s->stacks[0] = s->current;
    s->n_stacks = 1;
    r->states[r->n_states++] = s;
    return s;
}

static State *find_state(Recorder *r, PyThreadState *thread)
{
    State *found = NULL;
    if (thread->interp != r->interpreter) return NULL;
    for (int i = 0; i < r->n_states && found == NULL; i++) {
        if (r->states[i]->thread == thread && r->states[i]->id == thread->id) found = r->states[i];
    }
    return found != NULL ? found : new_state(r, thread);
}

/* The state of this thread; NULL where nothing is recorded. */
static State *state_of(Recorder *r)
{
    PyThreadState *thread = PyThreadState_Get();
    if (OFTEN(cached.recorder == r->id && cached.thread == thread && cached.id == thread->id)) return cached.state;
    State *s = find_state(r, thread);
    if (s != NULL) {
        cached.recorder = r->id;
        cached.thread = thread;
        cached.id = thread->id;
        cached.state = s;
    }
    return s;
}

static Frame *top_of(Stack *k) { return k->n ? &k->frames[k->n - 1] : NULL; }

/* Take out frames whose real frame is not running any more. For stacks that grow suspiciously deep. */
static void heal(Stack *k, RealFrame *real)
{
    int kept = k->n;
    for (int i = k->n - 1; i >= 0; i--) {
        RealFrame *at = real;
        if (k->frames[i].function == NULL) continue;
        while (at != NULL && (void *)at != k->frames[i].iframe) at = real_below(at);
        if (at != NULL) {
            real = at;
            continue;
        }
        Frame stale = k->frames[i];
        memmove(&k->frames[i], &k->frames[i + 1], (size_t)(--kept - i) * sizeof(Frame));
        k->n = kept;
        if (i) {
            k->frames[i - 1].child += stale.child;
            k->frames[i - 1].overhead += stale.overhead;
        }
        off_stack(k, &stale, stale.call == NULL);
        release(&stale);
    }
    k->next_heal = k->n * 2 > FIRST_HEAL ? k->n * 2 : FIRST_HEAL;
}

static Frame *push(Recorder *r, Stack *k, Frame frame)
{
    if (SELDOM(k->n >= k->next_heal)) heal(k, real_top(PyThreadState_Get()));
    if (SELDOM(k->n >= k->room || k->n >= STACK_FRAMES)) {
        uint32_t room = (uint32_t)k->room;
        if (k->n >= STACK_FRAMES || !more(&k->frames, &room, sizeof(Frame))) {
            r->dropped++;
            return NULL;
        }
        k->room = (int)room;
    }
    if (frame.function != NULL) {
        uint16_t *depth = depth_of(k, frame.function);
        if ((*depth)++) frame.flags |= NESTED;
    }
    if (frame.call != NULL) {
        Py_INCREF(frame.call);
        frame.call->stack = k;
        frame.call->running = 1;
    }
    Py_INCREF(frame.context);
    k->frames[k->n] = frame;
    return &k->frames[k->n++];
}

/* The position of a running call by its real frame, -1 if it is not recorded. `f` may be NULL: any function. */
static int find_frame(Stack *k, Function *f, void *iframe)
{
    int last = k->n > STALE_FRAMES ? k->n - STALE_FRAMES : 0;
    for (int i = k->n - 1; i >= last; i--) {
        Frame *frame = &k->frames[i];
        if (frame->iframe == iframe && frame->function != NULL && (f == NULL || frame->function == f)) return i;
    }
    return -1;
}

static int find_call(Stack *k, Call *call)
{
    int i = k->n - 1;
    while (i >= 0 && k->frames[i].call != call) i--;
    return i;
}

/* The entry that this thread or task works for, borrowed; NULL: none. */
static CallLog *entry_of(Recorder *r)
{
    PyObject *entry = NULL;
    if (PyContextVar_Get(r->entry, NULL, &entry) < 0) PyErr_Clear();
    if (entry == NULL) return NULL;
    Py_DECREF(entry);  /* the context of this thread keeps it while we look */
    if (!PyObject_TypeCheck(entry, call_log_type) || !((CallLog *)entry)->open) return NULL;
    return (CallLog *)entry;
}

static CallLog *context_of(Recorder *r, State *s)
{
    if (s->current->n) return top_of(s->current)->context;
    CallLog *entry = entry_of(r);
    return entry != NULL ? entry : s->root;
}

/* The nearest application function below a frame that is not on the shadow stack; 0: none above `parent`. */
static uint32_t unrecorded(Recorder *r, RealFrame *from, Frame *parent)
{
    void *end = parent != NULL ? parent->iframe : NULL;
    for (int i = 0; from != NULL && (void *)from != end && i < CALLER_FRAMES; i++, from = real_below(from)) {
        PyObject *code = real_code(from);
        Function *f = code != NULL ? of_code(r, code) : NULL;
        if (f != NULL) return f->number;
    }
    return 0;
}

/* Who calls what runs in the real frame. While nothing is sampled, each caller is on the shadow stack. */
static uint32_t caller_of(Recorder *r, Stack *k, RealFrame *real)
{
    Frame *parent = top_of(k);
    uint32_t found = r->sampled ? unrecorded(r, real_below(real), parent) : 0;
    return found ? found : parent != NULL ? parent->shown : 0;
}

/* ---- queries ---- */

/* Give the queries of what ended to the call that is now on top; the bottom of a stack keeps none. */
static void pass_up(Stack *k, Queries *queries)
{
    Frame *parent = top_of(k);
    if (parent != NULL) merge_queries(&parent->queries, queries);
    else free_queries(queries);
}

/* Remember what a function has to do with a statement: ABOVE or CALL_SITE. */
static void ask(Recorder *r, Function *f, uint8_t what)
{
    if (f->asked & what) return;
    if (!f->asked) {
        if (r->n_asking >= r->asking_room && !more(&r->asking, &r->asking_room, sizeof(uint32_t))) return;
        r->asking[r->n_asking++] = f->number;
    }
    f->asked |= what;
}

/* Record what a call ran, when it ends. */
static void give_up(Recorder *r, CallLog *context, Function *f, const Queries *q)
{
    if (!context->open) return;
    for (uint32_t i = 0; i < q->n; i++) {
        const KeyUse *use = &q->keys[i];
        if (!use->n) continue;  /* rows of a statement that an earlier call ran */
        uint32_t driver = use->n >= 2 ? driver_of(q, use, r->statements) : 0;
        const KeyUse *driving = driver ? use_of(q, driver) : NULL;
        uint64_t rows = driving != NULL ? driving->rows : 0;
        record_use(context, (Use){f->number << 1 | f->sampled, use->key, use->n, use->identical, driver, use->time, rows});
    }
    ask(r, f, ABOVE);
}

/* ---- the ends of calls ---- */

static uint64_t next_random(Recorder *r)
{
    r->random ^= r->random << 13;
    r->random ^= r->random >> 7;
    r->random ^= r->random << 17;
    return r->random;
}

static uint32_t drawn(Recorder *r, uint32_t every)
{
    return 1 + (uint32_t)(next_random(r) % (2 * (uint64_t)every - 1));  /* `every` on average */
}

/* Draw the tags of a call that is offered; 0: those who keep exemplars would not want it, and it is counted only. */
static int screened(Recorder *r, Function *f, const int *offered, double *tags)
{
    int shown = 0;
    for (int kind = 0; kind < 2; kind++) {
        tags[kind] = (double)(next_random(r) >> 11) * 0x1p-53;
        shown |= offered[kind] && tags[kind] < f->screens[kind].bar;
    }
    for (int kind = 0; kind < 2 && !shown; kind++) {
        f->screens[kind].passed += (uint32_t)offered[kind];
        f->screens[kind].passed_sampled += (uint32_t)(offered[kind] && f->sampled);
    }
    return shown;
}

/* Show a call that is slow, or one in `every`, to Python. */
static void exemplar(Recorder *r, Function *f, CallLog *context, int64_t wall, int64_t own, uint64_t statements,
                     PyObject *result)
{
    int uniform = f->every && --f->countdown == 0;
    if (uniform) f->countdown = drawn(r, f->every);
    int offered[2] = {uniform, f->slow_ns && wall >= f->slow_ns};
    double tags[2];
    if (OFTEN(!offered[0] && !offered[1]) || !screened(r, f, offered, tags)) return;
    PyObject *frame = (PyObject *)PyEval_GetFrame();
    PyObject *arguments = Py_BuildValue(
        "(ILLOKIKOOO(dd))", f->number, (long long)wall, (long long)own, uniform ? Py_True : Py_False,
        (unsigned long long)f->ended, f->live, (unsigned long long)statements, frame != NULL ? frame : Py_None,
        result != NULL ? result : missing, (PyObject *)context, tags[0], tags[1]);
    if (arguments == NULL) PyErr_Clear();
    Py_XDECREF(quietly(r->capture, arguments));
}

/* Pass the time of a frame that was taken off to the one below. */
static void pass_down(Stack *k, int64_t child, int64_t overhead)
{
    Frame *parent = top_of(k);
    if (parent == NULL) return;
    parent->child += child;
    parent->overhead += overhead;
}

/* A plain call ends. */
static void finish(Recorder *r, Stack *k, int at, int64_t now, PyObject *result)
{
    drop_above(k, at);
    Frame frame = k->frames[at];
    Function *f = frame.function;
    int64_t wall = now - frame.start, own = wall - frame.child, seen = wall - frame.overhead;
    uint64_t statements = 0;
    k->n = at;
    if (frame.flags & PARTIAL) {
        pass_down(k, frame.child, frame.overhead);
        if (frame.queries != NULL) pass_up(k, frame.queries);
        frame.queries = NULL;
    } else {
        pass_down(k, wall + r->cost, frame.overhead + r->cost);
        if (seen < 0) seen = 0;
        record(frame.context, f, frame.caller, frame.flags & NESTED ? -1 : seen, own);
        if (SELDOM(frame.queries != NULL)) {
            statements = executions_in(frame.queries);
            give_up(r, frame.context, f, frame.queries);
            pass_up(k, frame.queries);
            frame.queries = NULL;
        }
        if (SELDOM(f->every || f->slow_ns) && !(frame.flags & NESTED)) exemplar(r, f, frame.context, seen, own, statements, result);
    }
    off_stack(k, &frame, 1);
    release(&frame);
}

/* A slice of a call or entry that runs ends. An entry has no time of its own: it passes down what was below. */
static void end_slice(Recorder *r, Call *call, int64_t now)
{
    Stack *k = call->stack;
    int at = k != NULL ? find_call(k, call) : -1;
    if (at < 0) return;
    drop_above(k, at);
    Frame frame = k->frames[at];
    int64_t ran = now - frame.start;
    k->n = at;
    off_stack(k, &frame, 0);
    call->stopped = now;
    if (frame.function == NULL || frame.flags & PARTIAL) {
        pass_down(k, frame.child, frame.overhead);
    } else {
        pass_down(k, ran, frame.overhead);
        call->own += ran - frame.child;
        call->past_overhead += frame.overhead;
        frame.function->slices++;
    }
    if (SELDOM(frame.queries != NULL)) {
        if (frame.function != NULL && !call->partial) {
            if (call->totals == NULL) call->totals = calloc(1, sizeof(Queries));
            if (call->totals != NULL) add_queries(call->totals, frame.queries);
        }
        pass_up(k, frame.queries);
        frame.queries = NULL;
    }
    release(&frame);
}

/* A slice begins on the stack of this thread. */
static void begin_slice(Recorder *r, State *s, Call *call)
{
    Frame frame = {call->function, call->iframe, 0, 0, 0, NULL, call->context, call, call->shown, call->caller, 0};
    if (call->partial) frame.flags |= PARTIAL;
    Frame *pushed = push(r, s->current, frame);
    if (pushed == NULL) return;
    int64_t now = now_of(r);
    int at = find_call(s->current, call);
    if (at >= 0) s->current->frames[at].start = now;
    if (!call->first) call->first = now;
}

/* The last slice of a call ended, or it was closed while it waited. */
static void end_call(Recorder *r, Call *call, int64_t now, PyObject *result)
{
    Function *f = call->function;
    if (call->running) end_slice(r, call, now);
    if (call->ended || f == NULL) return;
    call->ended = 1;
    if (f->live) f->live--;
    if (call->epoch != f->epoch || call->partial) return;
    int64_t wall = now - call->first - call->past_overhead;
    if (wall < 0) wall = 0;
    record(call->context, f, call->caller, call->nested ? -1 : wall, call->own);
    if (call->totals != NULL) give_up(r, call->context, f, call->totals);
    if (SELDOM(f->every || f->slow_ns) && !call->nested) {
        exemplar(r, f, call->context, wall, call->own, executions_in(call->totals), result);
    }
}

/* ---- the beginnings of calls ---- */

static void announce(Recorder *r)
{
    r->roused = 0;
    Py_XDECREF(quietly(r->wake, PyTuple_New(0)));
}

static void fill(Recorder *r)
{
    r->slice_end = NEVER;
    Py_XDECREF(quietly(r->full, PyTuple_New(0)));
}

/* Whether a call that begins is recorded. */
static int wanted(Recorder *r, Function *f)
{
    if (SELDOM(f->form != TIMED)) {
        if (f->form == COUNT) {
            f->counted++;
            if ((++r->ticks & 63) == 0 && f->sampled && r->slice_end != NEVER && now_of(r) >= r->slice_end) fill(r);
        }
        return 0;
    }
    if (SELDOM(r->roused)) announce(r);
    if (SELDOM(!f->ended && !f->live)) r->grew = 1;
    if (SELDOM(f->sampled)) {
        if ((r->room > 0 && --r->room == 0) || (r->slice_end != NEVER && now_of(r) >= r->slice_end)) fill(r);
        return f->form == TIMED;
    }
    return 1;
}

static void start_plain(Recorder *r, State *s, Function *f, RealFrame *real)
{
    Stack *k = s->current;
    Frame *top = top_of(k);
    if (SELDOM(top != NULL && top->iframe == real && top->function != NULL)) drop_above(k, k->n - 2);
    Frame frame = {f, real, 0, 0, 0, NULL, NULL, NULL, f->number, 0, 0};
    frame.caller = caller_of(r, k, real);
    frame.context = context_of(r, s);
    Frame *pushed = push(r, k, frame);
    if (pushed == NULL) return;
    f->live++;
    if (OFTEN(r->clock == NULL)) {
        pushed->start = now_of(r);
        return;
    }
    int64_t now = now_of(r);
    int at = find_frame(k, f, real);
    if (at >= 0) k->frames[at].start = now;
}

/* The first slice of a generator or coroutine. That of a coroutine belongs to the entry of its task, whoever drives it. */
static Call *start_call(Recorder *r, State *s, Function *f, RealFrame *real, int in_entry)
{
    Stack *k = s->current;
    CallLog *context = context_of(r, s), *entry = in_entry ? entry_of(r) : NULL;
    uint32_t caller;
    if (entry != NULL && entry != context) {
        context = entry;
        caller = 0;
    } else {
        caller = caller_of(r, k, real);
    }
    Call *call = new_call(f, context);
    if (call == NULL) return NULL;
    call->caller = caller;
    call->shown = f->number;
    call->iframe = real;
    call->nested = *depth_of(k, f) != 0;
    f->live++;
    begin_slice(r, s, call);
    if (!call->running) {  /* too deep */
        call->ended = 1;
        f->live--;
    }
    return call;
}

/* ---- calls that wait, by the address of their frame: for sys.monitoring ---- */

static uint32_t place_of(Recorder *r, void *iframe)
{
    return (uint32_t)(((uintptr_t)iframe >> 4) * 0x9E3779B97F4A7C15ull >> 32) & r->waiting_mask;
}

/* Take a waiting call out of the map; the caller owns it then. */
static void take_out(Recorder *r, Call *call)
{
    Call **at = &r->waiting[place_of(r, call->iframe)];
    while (*at != call) at = &(*at)->next;
    *at = call->next;
    if (call->older != NULL) call->older->newer = call->newer;
    else r->oldest = call->newer;
    if (call->newer != NULL) call->newer->older = call->older;
    else r->newest = call->older;
    call->next = call->older = call->newer = NULL;
    r->n_waiting--;
}

static Call *waiting_at(Recorder *r, Function *f, void *iframe)
{
    Call *call = r->waiting != NULL ? r->waiting[place_of(r, iframe)] : NULL;
    while (call != NULL && !(call->iframe == iframe && (f == NULL || call->function == f))) call = call->next;
    return call;
}

static void give_call_up(Call *call)
{
    if (!call->ended && call->function != NULL && call->function->live) call->function->live--;
    call->ended = 1;
}

static int more_places(Recorder *r)
{
    uint32_t size = r->waiting != NULL ? (r->waiting_mask + 1) * 2 : 64;
    Call **places = calloc(size, sizeof(Call *));
    if (places == NULL) return r->waiting != NULL;
    free(r->waiting);
    r->waiting = places;
    r->waiting_mask = size - 1;
    for (Call *call = r->oldest; call != NULL; call = call->newer) {
        Call **at = &places[place_of(r, call->iframe)];
        call->next = *at;
        *at = call;
    }
    return 1;
}

#if PY_VERSION_HEX >= 0x030D0000
/* From 3.13 on, a generator that waits where nothing can catch is closed without an event. */
static void watch_generator(Call *call)
{
    struct _PyInterpreterFrame *frame = call->iframe;
    if (call->weak != NULL || frame->owner != FRAME_OWNED_BY_GENERATOR) return;
    call->weak = PyWeakref_NewRef((PyObject *)((char *)frame - offsetof(PyGenObject, gi_iframe)), NULL);
    if (call->weak == NULL) PyErr_Clear();
}

static int was_closed(Call *call)
{
    PyObject *generator = NULL;
    if (call->weak == NULL || PyWeakref_GetRef(call->weak, &generator) < 0) {
        PyErr_Clear();
        return 0;
    }
    int closed = generator == NULL || FRAME_STATE_FINISHED(((PyGenObject *)generator)->gi_frame_state);
    Py_XDECREF(generator);
    return closed;
}
#else
static void watch_generator(Call *call) { (void)call; }
static int was_closed(Call *call) { (void)call; return 0; }
#endif

/* Keep a call until it is resumed; steals it. */
static void put_away(Recorder *r, Call *call)
{
    Call *old = waiting_at(r, NULL, call->iframe);
    if (old != NULL) {  /* its frame is another's now: it ended unseen */
        take_out(r, old);
        end_call(r, old, old->stopped, NULL);
        Py_DECREF(old);
    }
    if (r->n_waiting >= SUSPENDED) {
        old = r->oldest;
        take_out(r, old);
        give_call_up(old);
        r->dropped++;
        Py_DECREF(old);
    }
    if (r->n_waiting >= r->waiting_mask && !more_places(r)) {
        give_call_up(call);
        Py_DECREF(call);
        return;
    }
    watch_generator(call);
    Call **at = &r->waiting[place_of(r, call->iframe)];
    call->next = *at;
    *at = call;
    call->older = r->newest;
    if (r->newest != NULL) r->newest->newer = call;
    else r->oldest = call;
    r->newest = call;
    r->n_waiting++;
}

/* ---- hooks of rewritten code ---- */

#define HOOK(r, s) \
    State *s; \
    if (SELDOM(busy || (r)->closed || (s = state_of(r)) == NULL)) Py_RETURN_NONE

/* What runs on this thread, whose state it is. */
static RealFrame *running(State *s) { return real_top(s->thread); }

static PyObject *hook_enter(Recorder *r, PyObject *number)
{
    HOOK(r, s);
    Function *f = argument_function(r, number);
    if (f != NULL && wanted(r, f)) start_plain(r, s, f, running(s));
    Py_RETURN_NONE;
}

static PyObject *hook_leave(Recorder *r, PyObject *Py_UNUSED(token))
{
    HOOK(r, s);
    int64_t now = r->clock == NULL ? now_of(r) : 0;
    int at = find_frame(s->current, NULL, running(s));
    if (at < 0) Py_RETURN_NONE;
    if (r->clock != NULL) now = now_of(r);
    finish(r, s->current, at, now, NULL);
    Py_RETURN_NONE;
}

static PyObject *hook_leave_top(Recorder *r, PyObject *Py_UNUSED(ignored)) { return hook_leave(r, NULL); }

static PyObject *hook_error(Recorder *r, PyObject *token)
{
    HOOK(r, s);
    PyObject *type = handled_type();
    if (type == NULL) Py_RETURN_NONE;
    if (token != NULL && Py_IS_TYPE(token, call_type)) {
        Call *call = (Call *)token;
        if (call->function != NULL) record_error(call->context, call->function, type);
    } else {
        int at = find_frame(s->current, NULL, running(s));
        if (at >= 0) record_error(s->current->frames[at].context, s->current->frames[at].function, type);
    }
    Py_DECREF(type);
    Py_RETURN_NONE;
}

static PyObject *hook_error_top(Recorder *r, PyObject *Py_UNUSED(ignored)) { return hook_error(r, NULL); }

static PyObject *hook_raised(Recorder *r, PyObject *number)
{
    HOOK(r, s);
    Function *f = argument_function(r, number);
    PyObject *type = f != NULL ? handled_type() : NULL;
    if (type != NULL) record_error(context_of(r, s), f, type);
    Py_XDECREF(type);
    Py_RETURN_NONE;
}

static PyObject *begin(Recorder *r, PyObject *number, int in_entry)
{
    HOOK(r, s);
    Function *f = argument_function(r, number);
    if (f == NULL || !wanted(r, f)) Py_RETURN_NONE;
    Call *call = start_call(r, s, f, running(s), in_entry);
    if (call == NULL) Py_RETURN_NONE;
    return (PyObject *)call;
}

static PyObject *hook_begin(Recorder *r, PyObject *number) { return begin(r, number, 0); }
static PyObject *hook_begin_in_entry(Recorder *r, PyObject *number) { return begin(r, number, 1); }

static PyObject *hook_end(Recorder *r, PyObject *token)
{
    HOOK(r, s);
    (void)s;
    if (Py_IS_TYPE(token, call_type)) end_call(r, (Call *)token, now_of(r), NULL);
    Py_RETURN_NONE;
}

static PyObject *hook_suspend(Recorder *r, PyObject *token)
{
    HOOK(r, s);
    (void)s;
    if (Py_IS_TYPE(token, call_type) && ((Call *)token)->running) end_slice(r, (Call *)token, now_of(r));
    Py_RETURN_NONE;
}

static PyObject *hook_resume(Recorder *r, PyObject *token)
{
    HOOK(r, s);
    if (!Py_IS_TYPE(token, call_type)) Py_RETURN_NONE;
    Call *call = (Call *)token;
    if (!call->running && !call->ended) {
        if (call->function == NULL) {
            Frame *top = top_of(s->current);
            call->iframe = running(s);
            call->shown = top != NULL ? top->shown : 0;
        }
        begin_slice(r, s, call);
    }
    Py_RETURN_NONE;
}

/* ---- entries ---- */

static PyObject *push_entry(Recorder *r, PyObject *context)
{
    if (!PyObject_TypeCheck(context, call_log_type)) Py_RETURN_NONE;
    ((CallLog *)context)->start = now_of(r);
    HOOK(r, s);
    Call *call = new_call(NULL, (CallLog *)context);
    if (call == NULL) Py_RETURN_NONE;
    call->iframe = running(s);
    call->shown = caller_of(r, s->current, call->iframe);
    begin_slice(r, s, call);
    return (PyObject *)call;
}

/* The token is the context itself where the entry's begin was not recorded. */
static PyObject *pop_entry(Recorder *r, PyObject *token)
{
    Call *call = Py_IS_TYPE(token, call_type) ? (Call *)token : NULL;
    CallLog *log = call != NULL ? call->context : PyObject_TypeCheck(token, call_log_type) ? (CallLog *)token : NULL;
    if (log != NULL) log->wall = now_of(r) - log->start;
    HOOK(r, s);
    (void)s;
    if (call == NULL) Py_RETURN_NONE;
    if (call->running) end_slice(r, call, now_of(r));
    call->ended = 1;
    Py_RETURN_NONE;
}

/* ---- callbacks of sys.monitoring ---- */

#define EVENT(r, s, f) \
    if (SELDOM(busy || (r)->closed || n < 1 || !PyCode_Check(arguments[0]))) Py_RETURN_NONE; \
    Function *f = of_code(r, arguments[0]); \
    if (f == NULL) Py_RETURN_NONE; \
    State *s

static void begins(Recorder *r, Function *f)
{
    State *s;
    if (!wanted(r, f) || (s = state_of(r)) == NULL) return;
    if (f->kind == FUNCTION) {
        start_plain(r, s, f, running(s));
    } else {
        Call *call = start_call(r, s, f, running(s), f->kind != GENERATOR);
        Py_XDECREF(call);  /* the stack has it */
    }
}

static PyObject *on_start(Recorder *r, PyObject *const *arguments, Py_ssize_t n)
{
    if (SELDOM(busy || r->closed || n < 1 || !PyCode_Check(arguments[0]))) Py_RETURN_NONE;
    Function *f = of_code(r, arguments[0]);
    if (f != NULL && f->form != OFF && f->form != DRAIN) begins(r, f);
    Py_RETURN_NONE;
}

/* Any code begins for the first time: ask whether it is to be observed, and hear its other begins no more. */
static PyObject *on_first(Recorder *r, PyObject *const *arguments, Py_ssize_t n)
{
    PyObject *disable = r->disable != NULL ? r->disable : Py_None;
    if (busy || r->closed || n < 1 || !PyCode_Check(arguments[0])) return Py_NewRef(r->closed ? disable : Py_None);
    PyObject *told = quietly(r->discover, PyTuple_Pack(1, arguments[0]));
    Function *f = told != NULL ? argument_function(r, told) : NULL;
    Py_XDECREF(told);
    if (f != NULL) begins(r, f);
    return Py_NewRef(disable);
}

/* The call that runs in the real frame of this thread returned or raised. */
static void over(Recorder *r, State *s, Function *f, int64_t now, PyObject *result)
{
    RealFrame *real = running(s);
    int at = find_frame(s->current, f, real);
    if (at >= 0 && s->current->frames[at].call == NULL) {
        finish(r, s->current, at, now, result);
        return;
    }
    Call *call = NULL;
    if (at >= 0) {
        call = (Call *)Py_NewRef((PyObject *)s->current->frames[at].call);
    } else if (f->kind != FUNCTION && (call = waiting_at(r, f, real)) != NULL) {
        take_out(r, call);
    }
    if (call == NULL) return;
    end_call(r, call, now, result);
    Py_DECREF(call);
}

static PyObject *on_return(Recorder *r, PyObject *const *arguments, Py_ssize_t n)
{
    EVENT(r, s, f);
    if (!f->live) Py_RETURN_NONE;
    int64_t now = now_of(r);
    if ((s = state_of(r)) != NULL) over(r, s, f, now, n > 2 ? arguments[2] : NULL);
    Py_RETURN_NONE;
}

static PyObject *on_yield(Recorder *r, PyObject *const *arguments, Py_ssize_t n)
{
    EVENT(r, s, f);
    if (!f->live) Py_RETURN_NONE;
    int64_t now = now_of(r);
    if ((s = state_of(r)) == NULL) Py_RETURN_NONE;
    int at = find_frame(s->current, f, running(s));
    if (at < 0) Py_RETURN_NONE;
    Call *call = s->current->frames[at].call;
    if (call == NULL) Py_RETURN_NONE;
    Py_INCREF(call);
    end_slice(r, call, now);
    if (call->ended || call->partial) {
        give_call_up(call);
        Py_DECREF(call);
    } else {
        put_away(r, call);
    }
    Py_RETURN_NONE;
}

static PyObject *on_resume(Recorder *r, PyObject *const *arguments, Py_ssize_t n)
{
    EVENT(r, s, f);
    if (!f->live || (s = state_of(r)) == NULL) Py_RETURN_NONE;
    Call *call = waiting_at(r, f, running(s));
    if (call == NULL) Py_RETURN_NONE;
    take_out(r, call);
    begin_slice(r, s, call);
    if (!call->running) give_call_up(call);
    Py_DECREF(call);
    Py_RETURN_NONE;
}

static PyObject *on_unwind(Recorder *r, PyObject *const *arguments, Py_ssize_t n)
{
    EVENT(r, s, f);
    int64_t now = f->live ? now_of(r) : 0;
    if ((s = state_of(r)) == NULL) Py_RETURN_NONE;
    if (n > 2 && PyExceptionInstance_Check(arguments[2])) {
        int at = f->live ? find_frame(s->current, f, running(s)) : -1;
        Call *waits = at < 0 && f->live ? waiting_at(r, f, running(s)) : NULL;
        CallLog *context = at >= 0 ? s->current->frames[at].context : waits != NULL ? waits->context : context_of(r, s);
        record_error(context, f, (PyObject *)Py_TYPE(arguments[2]));
    }
    if (f->live) over(r, s, f, now, NULL);
    Py_RETURN_NONE;
}

/* ---- sampling ---- */

static PyObject *number_error(void)
{
    if (!PyErr_Occurred()) PyErr_Format(PyExc_ValueError, "the number of a function must be from 1 to %d", NUMBERS - 1);
    return NULL;
}

static PyObject *register_code(Recorder *r, PyObject *arguments)
{
    PyObject *code;
    long number;
    if (!PyArg_ParseTuple(arguments, "O!l:register_code", &PyCode_Type, &code, &number)) return NULL;
    Function *f = function_of(r, number);
    if (f == NULL) return number_error();
    if (code_set_extra(code, extra_index, f) < 0) return NULL;
    f->bound = 1;
    Py_RETURN_NONE;
}

static PyObject *register_function(Recorder *r, PyObject *arguments)
{
    static const char *const names[] = {"function", "generator", "coroutine", "async_generator"};
    PyObject *code = Py_None;
    const char *kind;
    long number;
    int known = 0;
    if (!PyArg_ParseTuple(arguments, "ls|O:register", &number, &kind, &code)) return NULL;
    while (known < 4 && strcmp(kind, names[known]) != 0) known++;
    Function *f = function_of(r, number);
    if (f == NULL) return number_error();
    if (known == 4) return PyErr_Format(PyExc_ValueError, "unknown kind of function: %s", kind);
    f->kind = (uint8_t)known;
    if (code == Py_None) Py_RETURN_NONE;
    PyObject *pair = Py_BuildValue("(Ol)", code, number);
    PyObject *done = pair != NULL ? register_code(r, pair) : NULL;
    Py_XDECREF(pair);
    return done;
}

static PyObject *number_of(Recorder *r, PyObject *code)
{
    Function *f = PyCode_Check(code) ? of_code(r, code) : NULL;
    return PyLong_FromUnsignedLong(f != NULL ? f->number : 0);
}

static PyObject *set_form(Recorder *r, PyObject *arguments)
{
    long number;
    int form;
    if (!PyArg_ParseTuple(arguments, "li:set_form", &number, &form)) return NULL;
    Function *f = function_of(r, number);
    if (f == NULL) return number_error();
    if (form < OFF || form > DRAIN) return PyErr_Format(PyExc_ValueError, "unknown form: %d", form);
    f->form = (uint8_t)form;
    Py_RETURN_NONE;
}

static PyObject *set_sampled(Recorder *r, PyObject *arguments)
{
    long number;
    int sampled;
    if (!PyArg_ParseTuple(arguments, "lp:set_sampled", &number, &sampled)) return NULL;
    Function *f = function_of(r, number);
    if (f == NULL) return number_error();
    if (sampled && !f->sampled) r->sampled++;
    if (!sampled && f->sampled) r->sampled--;
    f->sampled = (uint8_t)sampled;
    r->was_sampled |= f->sampled;
    Py_RETURN_NONE;
}

static PyObject *set_trigger(Recorder *r, PyObject *arguments)
{
    long number;
    long long slow;
    unsigned int every;
    if (!PyArg_ParseTuple(arguments, "lLI:set_trigger", &number, &slow, &every)) return NULL;
    Function *f = function_of(r, number);
    if (f == NULL) return number_error();
    f->slow_ns = slow;
    f->every = every;
    f->countdown = every ? drawn(r, every) : 0;
    Py_RETURN_NONE;
}

static PyObject *listed(PyObject *list, PyObject *item)
{
    if (list != NULL && (item == NULL || PyList_Append(list, item) < 0)) Py_CLEAR(list);
    Py_XDECREF(item);
    return list;
}

static PyObject *set_bar(Recorder *r, PyObject *arguments)
{
    long number;
    int kind;
    double bar;
    if (!PyArg_ParseTuple(arguments, "lid:set_bar", &number, &kind, &bar)) return NULL;
    Function *f = function_of(r, number);
    if (f == NULL) return number_error();
    if (kind < 0 || kind > 1) return PyErr_Format(PyExc_ValueError, "unknown kind of sample: %d", kind);
    f->screens[kind].bar = bar;
    Py_RETURN_NONE;
}

static PyObject *take_passed(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    PyObject *found = PyList_New(0);
    for (uint32_t i = 0; found != NULL && i < r->n_functions; i++) {
        Function *f = r->functions[i];
        if (f == NULL) continue;
        Screen even = f->screens[0], tail = f->screens[1];
        f->screens[0] = f->screens[1] = (Screen){1.0, 0, 0};
        if (!even.passed && !tail.passed) continue;
        found = listed(found, Py_BuildValue("(I(II)(II))", i, even.passed, even.passed_sampled, tail.passed, tail.passed_sampled));
    }
    return found;
}

static PyObject *take_counts(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    PyObject *counts = PyDict_New();
    for (uint32_t i = 0; counts != NULL && i < r->n_functions; i++) {
        Function *f = r->functions[i];
        if (f == NULL || !f->counted) continue;
        PyObject *number = PyLong_FromUnsignedLong(i), *count = PyLong_FromUnsignedLongLong(f->counted);
        if (number == NULL || count == NULL || PyDict_SetItem(counts, number, count) < 0) Py_CLEAR(counts);
        else f->counted = 0;
        Py_XDECREF(number);
        Py_XDECREF(count);
    }
    return counts;
}

static PyObject *meter(Recorder *r, PyObject *arguments)
{
    unsigned int first = 0, limit = NUMBERS;
    if (!PyArg_ParseTuple(arguments, "|II:meter", &first, &limit)) return NULL;
    if (first && first >= r->n_functions) Py_RETURN_NONE;
    PyObject *found = PyList_New(0);
    for (uint32_t i = first; found != NULL && i < r->n_functions && i - first < limit; i++) {
        Function *f = r->functions[i];
        if (f == NULL || !f->calls) continue;
        found = listed(found, Py_BuildValue("(IKL)", i, (unsigned long long)f->calls, (long long)f->wall));
        f->calls = 0;
        f->wall = 0;
    }
    return found;
}

static PyObject *resumptions(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    PyObject *found = PyList_New(0);
    for (uint32_t i = 0; found != NULL && i < r->n_functions; i++) {
        Function *f = r->functions[i];
        if (f == NULL || !f->slices) continue;
        found = listed(found, Py_BuildValue("(IK)", i, (unsigned long long)f->slices));
        f->slices = 0;
    }
    return found;
}

static PyObject *live(Recorder *r, PyObject *number)
{
    Function *f = argument_function(r, number);
    return f != NULL ? PyLong_FromUnsignedLong(f->live) : number_error();
}

static void unmark(Recorder *r)
{
    for (uint32_t i = 0; i < r->n_functions; i++) {
        if (r->functions[i] != NULL) r->functions[i]->marked = 0;
    }
}

/* Mark functions; -1 with an exception, and then none is marked. */
static int mark(Recorder *r, PyObject *numbers)
{
    PyObject *number, *iterator = PyObject_GetIter(numbers);
    if (iterator == NULL) return -1;
    while ((number = PyIter_Next(iterator)) != NULL) {
        Function *f = argument_function(r, number);
        Py_DECREF(number);
        if (f != NULL) f->marked = 1;
    }
    Py_DECREF(iterator);
    if (!PyErr_Occurred()) return 0;
    unmark(r);
    return -1;
}

/* Objects to be given up when all stacks are whole again: giving one up may run anything. */
typedef struct {
    PyObject **objects;
    uint32_t n, room;
} Pile;

static void put(Pile *pile, PyObject *object)
{
    if (object == NULL) return;
    if (pile->n >= pile->room && !more(&pile->objects, &pile->room, sizeof(PyObject *))) return;  /* leaked: no memory */
    pile->objects[pile->n++] = object;
}

static void clear_pile(Pile *pile)
{
    for (uint32_t i = 0; i < pile->n; i++) Py_DECREF(pile->objects[i]);
    free(pile->objects);
}

/* Take marked functions off a stack. What they queried goes to the frame below. */
static void cut_stack(Stack *k, Pile *dead)
{
    int kept = 0;
    for (int i = 0; i < k->n; i++) {
        Frame *frame = &k->frames[i], *below = kept ? &k->frames[kept - 1] : NULL;
        if (frame->function == NULL || !frame->function->marked) {
            k->frames[kept++] = *frame;
            continue;
        }
        if (below != NULL) {
            below->child += frame->child;
            below->overhead += frame->overhead;
            merge_queries(&below->queries, frame->queries);
        } else {
            free_queries(frame->queries);
        }
        off_stack(k, frame, 1);
        put(dead, (PyObject *)frame->call);
        put(dead, (PyObject *)frame->context);
    }
    k->n = kept;
}

static PyObject *cut(Recorder *r, PyObject *numbers)
{
    Pile dead = {0};
    if (mark(r, numbers) < 0) return NULL;
    for (int i = 0; i < r->n_states; i++) {
        for (int j = 0; j < r->states[i]->n_stacks; j++) cut_stack(r->states[i]->stacks[j], &dead);
    }
    for (Call *call = r->oldest, *newer; call != NULL; call = newer) {
        newer = call->newer;
        if (!call->function->marked) continue;
        take_out(r, call);
        give_call_up(call);
        put(&dead, (PyObject *)call);
    }
    for (uint32_t i = 0; i < r->n_functions; i++) {
        if (r->functions[i] == NULL || !r->functions[i]->marked) continue;
        r->functions[i]->epoch++;
    }
    unmark(r);
    clear_pile(&dead);
    Py_RETURN_NONE;
}

static void append(Stack *k, Frame *frame)
{
    uint32_t room = (uint32_t)k->room;
    if (k->n >= k->room && !more(&k->frames, &room, sizeof(Frame))) return;
    k->room = (int)room;
    k->frames[k->n++] = *frame;
}

/* Put frames for calls of marked functions that run already at their places in the stack of a thread. */
static void seed_stack(Recorder *r, State *s, RealFrame *real)
{
    RealFrame *chain[SEED_FRAMES];
    Function *found[SEED_FRAMES];
    Stack *k = s->current, old = *k;
    int n = 0, any = 0, from = 0;
    for (; real != NULL && n < SEED_FRAMES; real = real_below(real), n++) {
        PyObject *code = real_code(real);
        Function *f = code != NULL ? of_code(r, code) : NULL;
        chain[n] = real;
        found[n] = f != NULL && f->marked && find_frame(k, f, real) < 0 ? f : NULL;
        any |= found[n] != NULL;
    }
    if (!any) return;
    for (int i = k->n > SEED_FRAMES ? k->n - SEED_FRAMES : 0; i < k->n; i++) {  /* `find_frame` sees the top only */
        for (int j = 0; j < n; j++) {
            if (found[j] == k->frames[i].function && (void *)chain[j] == k->frames[i].iframe) found[j] = NULL;
        }
    }
    int64_t now = now_of(r);
    k->frames = NULL;
    k->n = k->room = 0;
    k->next_heal = INT32_MAX;  /* that would look at the frames of this thread */
    CallLog *bottom = s->root;
    for (int i = n - 1; i >= 0; i--) {
        int last = from - 1;
        for (int j = from; j < old.n; j++) {
            if (old.frames[j].iframe == (void *)chain[i]) last = j;
        }
        if (found[i] != NULL && k->n < STACK_FRAMES) {
            Function *f = found[i];
            Frame *below = top_of(k);
            CallLog *context = below != NULL ? below->context : from < old.n ? old.frames[from].context : bottom;
            Call *call = f->kind != FUNCTION ? new_call(f, context) : NULL;
            Frame frame = {f, chain[i], now, 0, 0, NULL, context, call, f->number, 0, PARTIAL};
            if (call != NULL) {
                call->partial = 1;
                call->iframe = chain[i];
                call->shown = f->number;
            }
            if (push(r, k, frame) != NULL) f->live++;
            Py_XDECREF(call);
        }
        while (from <= last) append(k, &old.frames[from++]);
    }
    while (from < old.n) append(k, &old.frames[from++]);  /* deeper than was looked, or no longer running */
    k->next_heal = old.next_heal;
    free(old.frames);
}

static PyObject *seed(Recorder *r, PyObject *numbers)
{
    if (state_of(r) == NULL || mark(r, numbers) < 0) return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
    for (PyThreadState *t = PyInterpreterState_ThreadHead(r->interpreter); t != NULL; t = PyThreadState_Next(t)) {
        for (int i = 0; i < r->n_states; i++) {
            State *s = r->states[i];
            if (s->thread == t && s->id == t->id) seed_stack(r, s, real_top(t));
        }
    }
    unmark(r);
    Py_RETURN_NONE;
}

/* ---- what the rest of the package asks ---- */

static PyObject *context(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    State *s = state_of(r);
    if (s != NULL) return Py_NewRef((PyObject *)context_of(r, s));
    PyErr_SetString(PyExc_RuntimeError, "nothing is recorded on this thread");
    return NULL;
}

static uint32_t innermost(Recorder *r, State *s)
{
    Frame *top = top_of(s->current);
    uint32_t found = r->sampled ? unrecorded(r, running(s), top) : 0;
    return found ? found : top != NULL ? top->shown : 0;
}

static PyObject *now(Recorder *r, PyObject *Py_UNUSED(ignored)) { return PyLong_FromLongLong(now_of(r)); }

static PyObject *function(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    State *s = state_of(r);
    return PyLong_FromUnsignedLong(s != NULL ? innermost(r, s) : 0);
}

/* The innermost application function, whether its call is recorded or not; 0: none. `here`: whether its frame is on this
 * real stack. In a greenlet it may not be: then who entered the greenlet knows better. */
static uint32_t nearest(Recorder *r, State *s, int *here)
{
    Frame *top = top_of(s->current);
    *here = 1;
    if (!r->was_sampled) return top != NULL ? top->shown : 0;
    for (RealFrame *at = running(s); at != NULL; at = real_below(at)) {
        if (top != NULL && (void *)at == top->iframe) return top->shown;
        PyObject *code = real_code(at);
        Function *f = code != NULL ? of_code(r, code) : NULL;
        if (f != NULL) return f->number;
    }
    *here = 0;
    return top != NULL ? top->shown : 0;
}

/* The number of a value in a dictionary, a new one where it is not there; 0 with an exception. */
static uint32_t numbered(PyObject *numbers, PyObject *value)
{
    PyObject *known = PyDict_GetItemWithError(numbers, value);
    if (known != NULL) return (uint32_t)PyLong_AsUnsignedLong(known);
    if (PyErr_Occurred()) return 0;
    uint32_t made = (uint32_t)PyDict_GET_SIZE(numbers) + 1;
    PyObject *number = PyLong_FromUnsignedLong(made);
    int failed = number == NULL || PyDict_SetItem(numbers, value, number) < 0;
    Py_XDECREF(number);
    return failed ? 0 : made;
}

#include "_statements.h"

static PyObject *asking(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    PyObject *found = PyList_New(0);
    while (found != NULL && r->n_asking) {
        Function *f = r->functions[r->asking[--r->n_asking]];
        int site = f->asked & CALL_SITE;
        f->asked = 0;
        found = listed(found, Py_BuildValue("(IO)", f->number, site ? Py_True : Py_False));
    }
    return found;
}

static Named *named_of(Recorder *r, PyObject *name)
{
    PyObject *known = PyDict_GetItemWithError(r->names, name);
    if (known != NULL) return &r->named[PyLong_AsLong(known)];
    if (PyErr_Occurred()) return NULL;
    Named *named = realloc(r->named, (size_t)(r->n_named + 1) * sizeof(Named));
    PyObject *place = PyLong_FromLong(r->n_named);
    if (named != NULL) r->named = named;
    if (named == NULL || place == NULL || PyDict_SetItem(r->names, name, place) < 0) {
        Py_XDECREF(place);
        return NULL;
    }
    Py_DECREF(place);
    named[r->n_named] = (Named){.name = Py_NewRef(name)};
    return &named[r->n_named++];
}

static uint64_t waiting_in(const CallLog *log)
{
    return log->n + log->n_executions + (log->partial != NULL && log->partial->table.n ? LOG_RECORDS : 0);
}

static PyObject *pending(Recorder *r, PyObject *contexts)
{
    uint64_t found = r->folded;
    PyObject *log, *iterator = PyObject_GetIter(contexts);
    if (iterator == NULL) return NULL;
    while ((log = PyIter_Next(iterator)) != NULL) {
        if (PyObject_TypeCheck(log, call_log_type)) found += waiting_in((CallLog *)log);
        Py_DECREF(log);
    }
    Py_DECREF(iterator);
    return PyErr_Occurred() ? NULL : PyLong_FromUnsignedLongLong(found);
}

static PyObject *fold(Recorder *r, PyObject *arguments)
{
    CallLog *log;
    PyObject *name, *other = NULL;
    int all = 0;
    if (!PyArg_ParseTuple(arguments, "O!U|p:fold", call_log_type, &log, &name, &all)) return NULL;
    r->folded += waiting_in(log);
    all = all && log->n_executions;
    if (!log->n && !log->n_errors && !log->n_uses && !all && log->partial == NULL) Py_RETURN_NONE;
    if (r->n_named >= r->names_room && PyUnicode_GET_LENGTH(name) && !PyDict_Contains(r->names, name)) {
        name = other = PyUnicode_FromString("<other>");
        if (other == NULL) return NULL;
    }
    Named *named = named_of(r, name);
    Py_XDECREF(other);
    if (named == NULL) return PyErr_Occurred() ? NULL : PyErr_NoMemory();
    if (log->partial != NULL) {
        merge_table(&named->table, &log->partial->table);
        merge_uses(&named->uses, &log->partial->uses);
        merge_query_tables(&named->queries, &log->partial->queries);
        clear_folded(log->partial);
        free(log->partial);
        log->partial = NULL;
    }
    fold_log(log, named);
    if (all) fold_executions(log, &named->queries);
    if (log->room > 256) {  /* an entry that is over, or a pause: give the memory back */
        free(log->log);
        log->log = NULL;
        log->room = 0;
    }
    if (log->uses_room > 256) {
        free(log->uses);
        log->uses = NULL;
        log->uses_room = 0;
    }
    Py_RETURN_NONE;
}

/* Fold the executions of an entry whose name is not known yet. */
static PyObject *fold_nameless(Recorder *Py_UNUSED(r), PyObject *log)
{
    if (!PyObject_TypeCheck(log, call_log_type)) return PyErr_Format(PyExc_TypeError, "not a CallLog: %R", log);
    CallLog *of = (CallLog *)log;
    if (of->n_executions && partial_of(of) != NULL) fold_executions(of, &of->partial->queries);
    Py_RETURN_NONE;
}

static PyObject *clear(Recorder *Py_UNUSED(r), PyObject *log)
{
    if (!PyObject_TypeCheck(log, call_log_type)) return PyErr_Format(PyExc_TypeError, "not a CallLog: %R", log);
    clear_log((CallLog *)log);
    Py_RETURN_NONE;
}

static PyObject *row_data(PyObject *name, Row *row)
{
    PyObject *callers = PyDict_New(), *errors = PyDict_New();
    for (uint32_t i = 0; callers != NULL && i < row->n_callers; i++) {
        Caller *caller = &row->callers[i];
        PyObject *key = PyLong_FromUnsignedLong(caller->caller);
        PyObject *value = Py_BuildValue("(KL)", (unsigned long long)caller->n, (long long)caller->wall);
        if (key == NULL || value == NULL || PyDict_SetItem(callers, key, value) < 0) Py_CLEAR(callers);
        Py_XDECREF(key);
        Py_XDECREF(value);
    }
    for (uint32_t i = 0; errors != NULL && i < row->n_errors; i++) {
        PyObject *n = PyLong_FromUnsignedLongLong(row->errors[i].n);
        if (n == NULL || PyDict_SetItem(errors, row->errors[i].name, n) < 0) Py_CLEAR(errors);
        Py_XDECREF(n);
    }
    PyObject *wall = histogram_data(&row->wall), *own = histogram_data(&row->own);
    if (callers != NULL && errors != NULL && wall != NULL && own != NULL) {
        return Py_BuildValue("(OIOKNNNN)", name, row->key >> 1, row->key & 1 ? Py_True : Py_False,
                             (unsigned long long)row->own.count, callers, wall, own, errors);
    }
    Py_XDECREF(callers);
    Py_XDECREF(errors);
    Py_XDECREF(wall);
    Py_XDECREF(own);
    return NULL;
}

/* A key, or None for what is not known (any more). */
static PyObject *key_object(Recorder *r, uint32_t number)
{
    PyObject *found = number ? PyList_GetItem(r->key_list, (Py_ssize_t)number - 1) : NULL;
    if (found == NULL) PyErr_Clear();
    return Py_NewRef(found != NULL ? found : Py_None);
}

static PyObject *use_data(Recorder *r, PyObject *name, UseRow *row)
{
    PyObject *drivers = PyList_New(0);
    for (uint32_t i = 0; drivers != NULL && i < row->n_drivers; i++) {
        const double *sums = row->drivers[i].sums;
        drivers = listed(drivers, Py_BuildValue("(Ndddddd)", key_object(r, row->drivers[i].key), sums[0], sums[1], sums[2],
                                                sums[3], sums[4], sums[5]));
    }
    PyObject *executions = drivers != NULL ? histogram_data(&row->executions) : NULL;
    if (executions == NULL) {
        Py_XDECREF(drivers);
        return NULL;
    }
    return Py_BuildValue("(OIONNKLN)", name, row->function >> 1, row->function & 1 ? Py_True : Py_False,
                         key_object(r, row->key), executions,
                         (unsigned long long)row->identical, (long long)row->time, drivers);
}

static PyObject *query_data(Recorder *r, PyObject *name, QueryRow *row)
{
    PyObject *errors = PyDict_New(), *rows = row->rows != NO_ROWS ? PyLong_FromLongLong(row->rows) : Py_NewRef(Py_None);
    for (uint32_t i = 0; errors != NULL && i < row->n_errors; i++) {
        PyObject *n = PyLong_FromUnsignedLongLong(row->errors[i].n);
        if (n == NULL || PyDict_SetItem(errors, row->errors[i].name, n) < 0) Py_CLEAR(errors);
        Py_XDECREF(n);
    }
    PyObject *wall = errors != NULL && rows != NULL ? histogram_data(&row->wall) : NULL;
    if (wall == NULL) {
        Py_XDECREF(errors);
        Py_XDECREF(rows);
        return NULL;
    }
    return Py_BuildValue("(ONNNN)", name, key_object(r, row->key), wall, rows, errors);
}

/* Add up to `limit` rows of what statements did to a list; how many, -1 with an exception. */
static long take_queries(Recorder *r, Named *named, PyObject **queries, long limit)
{
    long taken = 0;
    while (*queries != NULL && named->queries.n && taken < limit) {
        QueryRow *row = &named->queries.rows[--named->queries.n];
        *queries = listed(*queries, query_data(r, named->name, row));
        free_query(row);
        taken++;
    }
    return *queries != NULL ? taken : -1;
}

static void clear_named(Named *named, int n)
{
    for (int i = 0; i < n; i++) {
        clear_folded(&named[i]);
        Py_DECREF(named[i].name);
    }
    free(named);
}

/* What is recorded from now on is not taken before everything is that was recorded so far. */
static void begin_taking(Recorder *r)
{
    if (r->taking != NULL || !r->n_named) return;
    r->taking = r->named;
    r->n_taking = r->n_named;
    r->named = NULL;
    r->n_named = 0;
    PyDict_Clear(r->names);
}

static PyObject *take(Recorder *r, PyObject *argument)
{
    long limit = PyLong_AsLong(argument);
    PyObject *rows = PyList_New(0), *uses = PyList_New(0), *queries = PyList_New(0);
    if (rows == NULL || uses == NULL || queries == NULL || (limit == -1 && PyErr_Occurred())) limit = 0;
    if (!r->taken) begin_taking(r);
    while (rows != NULL && uses != NULL && queries != NULL && r->n_taking && limit > 0) {
        Named *last = &r->taking[r->n_taking - 1];
        if (last->table.n) {
            Row *row = &last->table.rows[--last->table.n];
            rows = listed(rows, row_data(last->name, row));
            free_row(row);
            limit--;
        } else if (last->uses.n) {
            UseRow *row = &last->uses.rows[--last->uses.n];
            uses = listed(uses, use_data(r, last->name, row));
            free_use(row);
            limit--;
        } else if (last->queries.n) {
            limit -= take_queries(r, last, &queries, limit);
        } else {
            r->dropped_uses += last->uses.dropped + last->queries.dropped;
            clear_folded(last);
            Py_DECREF(last->name);
            r->n_taking--;
        }
    }
    if (!r->n_taking) {
        free(r->taking);
        r->taking = NULL;
    }
    r->taken = 0;
    if (rows != NULL && uses != NULL && queries != NULL && !PyErr_Occurred()) {
        r->taken = !r->n_taking && (PyList_GET_SIZE(rows) || PyList_GET_SIZE(uses) || PyList_GET_SIZE(queries));
        return Py_BuildValue("(NNN)", rows, uses, queries);
    }
    Py_XDECREF(rows);
    Py_XDECREF(uses);
    Py_XDECREF(queries);
    return NULL;
}

#include "_json.h"

/* End the calls that were closed unseen and the states of threads that are gone; the contexts of these. */
static PyObject *reap(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    PyObject *roots = PyList_New(0);
    for (Call *call = r->oldest, *newer; call != NULL; call = newer) {
        newer = call->newer;
        if (!was_closed(call)) continue;
        take_out(r, call);
        end_call(r, call, call->stopped, NULL);
        Py_DECREF(call);
    }
    for (int i = r->n_states - 1; roots != NULL && i >= 0; i--) {
        State *s = r->states[i];
        PyThreadState *t = PyInterpreterState_ThreadHead(r->interpreter);
        while (t != NULL && !(t == s->thread && t->id == s->id)) t = PyThreadState_Next(t);
        if (t != NULL) continue;
        roots = listed(roots, Py_NewRef((PyObject *)s->root));
        if (roots == NULL) break;
        r->states[i] = r->states[--r->n_states];
        free_state(s);
    }
    return roots;
}

static PyObject *set_narrow(Recorder *Py_UNUSED(r), PyObject *level)
{
    long value = PyLong_AsLong(level);
    if (value == -1 && PyErr_Occurred()) return NULL;
    narrow = (int)value;
    Py_RETURN_NONE;
}

static PyObject *get_given_up(Recorder *Py_UNUSED(r), PyObject *Py_UNUSED(ignored))
{
    return PyLong_FromUnsignedLongLong(given_up);
}

static PyObject *rouse(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    r->roused = 1;
    Py_RETURN_NONE;
}

static PyObject *grew(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    char grew = r->grew;
    r->grew = 0;
    return PyBool_FromLong(grew);
}

/* ---- the stacks of greenlets; see stacks.py ---- */

/* The stack of a key; it is moved to the end, where it is found soon if it is asked for again. NULL: not known. */
static Stack *stack_of(State *s, int64_t key)
{
    for (int i = s->n_stacks - 1; i >= 0; i--) {
        Stack *found = s->stacks[i];
        if (found->key != key) continue;
        s->stacks[i] = s->stacks[s->n_stacks - 1];
        return s->stacks[s->n_stacks - 1] = found;
    }
    return NULL;
}

/* The running stack is left: what it did is the work of those below, and what the lent frame took in is theirs. */
static void leave_stack(State *s, int64_t now)
{
    Stack *k = s->current, *below = stack_of(s, k->below);
    int64_t ran = now - k->started;
    k->since = now;
    if (below != NULL && k->n) {
        Frame *lent = &k->frames[0];
        Queries *queries = lent->queries;
        pass_down(below, lent->child, lent->overhead);
        lent->child = lent->overhead = 0;
        lent->queries = NULL;
        if (queries != NULL) pass_up(below, queries);
    }
    for (; below != NULL; below = stack_of(s, below->below)) below->worked += ran;
}

/* A stack that was left is entered: the time since then is nobody's own. */
static void enter_stack(State *s, Stack *k, int64_t now)
{
    int lent = k->below != NONE_BELOW;
    int64_t away = now - k->since - k->worked;
    if (k->n > lent) {
        k->frames[k->n - 1].child += away;
        if (lent) k->frames[0].child -= away;
    }
    k->worked = 0;
    k->started = now;
    s->current = k;
}

/* A new stack, which stands on another if `below` is one with something on it. NULL: no memory. */
static Stack *add_stack(Recorder *r, State *s, int64_t key, Stack *below, int64_t now)
{
    Frame *top = below != NULL ? top_of(below) : NULL;
    Stack **stacks = realloc(s->stacks, (size_t)(s->n_stacks + 1) * sizeof(Stack *)), *made = new_stack(key);
    if (stacks != NULL) s->stacks = stacks;
    if (stacks == NULL || made == NULL) {
        free(made);
        return NULL;
    }
    s->stacks[s->n_stacks++] = made;
    made->since = now;
    if (top != NULL) {
        Frame lent = {.start = now, .context = top->context, .shown = top->shown};
        if (push(r, made, lent) != NULL) made->below = below->key;
    }
    return made;
}

static PyObject *switch_stack(Recorder *r, PyObject *arguments)
{
    long long wanted, base = NONE_BELOW;
    if (!PyArg_ParseTuple(arguments, "L|L", &wanted, &base)) return NULL;
    State *s = state_of(r);
    if (s == NULL || s->current->key == wanted) Py_RETURN_NONE;
    int64_t now = now_of(r);
    leave_stack(s, now);
    Stack *k = stack_of(s, wanted);
    if (k == NULL) k = add_stack(r, s, wanted, base != NONE_BELOW ? stack_of(s, base) : NULL, now);
    if (k == NULL) return PyErr_NoMemory();
    enter_stack(s, k, now);
    Py_RETURN_NONE;
}

static PyObject *drop_stack(Recorder *r, PyObject *key)
{
    long long unwanted = PyLong_AsLongLong(key);
    if (unwanted == -1 && PyErr_Occurred()) return NULL;
    for (int i = 0; i < r->n_states; i++) {
        State *s = r->states[i];
        for (int j = s->n_stacks - 1; j >= 0; j--) {
            Stack *k = s->stacks[j];
            if (k->key != unwanted || k == s->current || k->key == 0) continue;
            s->stacks[j] = s->stacks[--s->n_stacks];
            free_stack(k);
        }
    }
    Py_RETURN_NONE;
}

static PyObject *forget(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    PyThreadState *thread = PyThreadState_Get();
    int kept = 0;
    for (int i = 0; i < r->n_states; i++) {
        State *s = r->states[i];
        if (s->thread == thread) r->states[kept++] = s;
        else free_state(s);
    }
    r->n_states = kept;
    clear_named(r->named, r->n_named);
    clear_named(r->taking, r->n_taking);
    close_writing(r);
    r->named = r->taking = NULL;
    r->n_named = r->n_taking = 0;
    PyDict_Clear(r->names);
    for (uint32_t i = 0; i < r->n_functions; i++) {
        Function *f = r->functions[i];
        if (f != NULL) f->counted = f->calls = f->slices = 0, f->wall = 0;
    }
    r->roused = 1;
    narrow = 0;
    given_up = 0;
    r->slice_end = NEVER;
    for (int i = 0; i < kept; i++) {
        clear_log(r->states[i]->root);
        for (int j = 0; j < r->states[i]->n_stacks; j++) {
            Stack *k = r->states[i]->stacks[j];
            for (int at = 0; at < k->n; at++) clear_log(k->frames[at].context);
        }
    }
    Py_RETURN_NONE;
}

static PyObject *root(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    State *s = state_of(r);
    return s != NULL ? Py_NewRef((PyObject *)s->root) : Py_NewRef(Py_None);
}

static PyObject *close_recorder(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    r->closed = 1;
    Py_RETURN_NONE;
}

static size_t named_bytes(const Named *named)
{
    return table_bytes(&named->table) + uses_bytes(&named->uses) + query_bytes(&named->queries);
}

static PyObject *memory(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    size_t bytes = sizeof(Recorder) + r->n_functions * sizeof(Function *) + r->n_waiting * (sizeof(Call) + sizeof(Call *));
    for (uint32_t i = 0; i < r->n_functions; i++) bytes += r->functions[i] != NULL ? sizeof(Function) : 0;
    for (int i = 0; i < r->n_named; i++) bytes += sizeof(Named) + named_bytes(&r->named[i]);
    bytes += writing_bytes(r->writing);
    for (int i = 0; i < r->n_taking; i++) bytes += sizeof(Named) + named_bytes(&r->taking[i]);
    for (int i = 0; i < r->n_states; i++) {
        State *s = r->states[i];
        bytes += sizeof(State) + s->root->room * sizeof(Record) + executions_bytes(s->root);
        if (s->root->partial != NULL) bytes += named_bytes(s->root->partial);
        for (int j = 0; j < s->n_stacks; j++) {
            Stack *k = s->stacks[j];
            bytes += sizeof(Stack) + (size_t)k->room * sizeof(Frame) + (size_t)k->n_pages * sizeof(uint16_t *);
            for (int page = 0; page < k->n_pages; page++) bytes += k->pages[page] != NULL ? PAGE * sizeof(uint16_t) : 0;
        }
    }
    return PyLong_FromSize_t(bytes);
}

/* ---- the type ---- */

static PyObject *recorder_new(PyTypeObject *type, PyObject *arguments, PyObject *names)
{
    static char *keywords[] = {"entry", "make_context", "bounds", "clock", NULL};
    PyObject *entry, *make_context, *given, *clock = Py_None;
    if (!PyArg_ParseTupleAndKeywords(arguments, names, "O!OO!|O:Recorder", keywords, &PyContextVar_Type, &entry,
                                     &make_context, &PyList_Type, &given, &clock)) return NULL;
    if (PyList_GET_SIZE(given) != BOUNDS) {
        return PyErr_Format(PyExc_ValueError, "%d bounds are expected, not %zd", BOUNDS, PyList_GET_SIZE(given));
    }
    for (int i = 0; i < BOUNDS; i++) bounds[i] = PyLong_AsLongLong(PyList_GET_ITEM(given, i));
    if (PyErr_Occurred()) return NULL;
    Recorder *r = (Recorder *)type->tp_alloc(type, 0);
    if (r == NULL) return NULL;
    r->names = PyDict_New();
    r->statement_numbers = PyDict_New();
    r->file_numbers = PyDict_New();
    r->key_list = PyList_New(0);
    if (r->names == NULL || r->statement_numbers == NULL || r->file_numbers == NULL || r->key_list == NULL) {
        Py_DECREF(r);
        return NULL;
    }
    r->id = ++recorders;
    narrow = 0;
    given_up = 0;
    r->interpreter = PyThreadState_Get()->interp;
    r->entry = Py_NewRef(entry);
    r->make_context = Py_NewRef(make_context);
    r->clock = clock != Py_None ? Py_NewRef(clock) : NULL;
    r->slice_end = NEVER;
    r->names_room = 2000;
    r->roused = 1;
    r->random = 0x9E3779B97F4A7C15ull ^ (uint64_t)(uintptr_t)r ^ (uint64_t)clock_gettime;
    return (PyObject *)r;
}

static int recorder_traverse(Recorder *r, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(r));
    Py_VISIT(r->clock);
    Py_VISIT(r->entry);
    Py_VISIT(r->make_context);
    Py_VISIT(r->full);
    Py_VISIT(r->capture);
    Py_VISIT(r->wake);
    Py_VISIT(r->discover);
    Py_VISIT(r->disable);
    return 0;
}

static int recorder_clear(Recorder *r)
{
    r->closed = 1;
    Py_CLEAR(r->make_context);
    Py_CLEAR(r->full);
    Py_CLEAR(r->capture);
    Py_CLEAR(r->wake);
    Py_CLEAR(r->discover);
    Py_CLEAR(r->disable);
    return 0;
}

static void recorder_dealloc(Recorder *r)
{
    PyTypeObject *type = Py_TYPE(r);
    PyObject_GC_UnTrack(r);
    recorder_clear(r);
    while (r->oldest != NULL) {
        Call *call = r->oldest;
        take_out(r, call);
        give_call_up(call);
        Py_DECREF(call);
    }
    free(r->waiting);
    for (int i = 0; i < r->n_states; i++) free_state(r->states[i]);
    free(r->states);
    clear_named(r->named, r->n_named);
    clear_named(r->taking, r->n_taking);
    close_writing(r);
    for (uint32_t i = 0; i < r->n_functions; i++) {
        if (r->functions[i] == NULL) continue;
        r->functions[i]->recorder = 0;
        if (!r->functions[i]->bound && !r->functions[i]->live) free(r->functions[i]);  /* else code or a token knows it */
    }
    free(r->functions);
    free(r->statements);
    free(r->places);
    free(r->key_index);
    free(r->asking);
    for (int i = 0; i < PLACES_KEPT; i++) Py_XDECREF(r->seen[i].code);
    Py_XDECREF(r->file_numbers);
    Py_XDECREF(r->key_list);
    Py_XDECREF(r->statement_numbers);
    Py_XDECREF(r->names);
    Py_XDECREF(r->clock);
    Py_XDECREF(r->entry);
    type->tp_free((PyObject *)r);
    Py_DECREF(type);
}

static PyMemberDef recorder_members[] = {
    {"full", T_OBJECT, offsetof(Recorder, full), 0, "called once when a slice is over, by the thread that finds out"},
    {"capture", T_OBJECT, offsetof(Recorder, capture), 0, "called with calls that are exemplars"},
    {"wake", T_OBJECT, offsetof(Recorder, wake), 0, "called at the first call, and at the first after rouse()"},
    {"discover", T_OBJECT, offsetof(Recorder, discover), 0, "called with code that begins for the first time; its number or 0"},
    {"disable", T_OBJECT, offsetof(Recorder, disable), 0, "sys.monitoring.DISABLE"},
    {"cost", T_LONGLONG, offsetof(Recorder, cost), 0, "ns of observing a call that fall outside of its own time"},
    {"slice_end", T_LONGLONG, offsetof(Recorder, slice_end), 0, "when the slice is over, in ns of the clock"},
    {"room", T_LONGLONG, offsetof(Recorder, room), 0, "calls of sampled functions until the slice is over; 0: no limit"},
    {"first_slow_ns", T_LONGLONG, offsetof(Recorder, first_slow_ns), 0, "the trigger of functions that have none yet"},
    {"names_room", T_LONGLONG, offsetof(Recorder, names_room), 0, "names of entries between two takes"},
    {"dropped_uses", T_ULONGLONG, offsetof(Recorder, dropped_uses), 0, "statements of calls for which there was no room"},
    {"folded", T_ULONGLONG, offsetof(Recorder, folded), 0, "calls that were folded since this was set to 0"},
    {"dropped", T_LONGLONG, offsetof(Recorder, dropped), READONLY, "calls that were not recorded for want of room"},
    {NULL},
};

#define ONE(name, function, text) {name, (PyCFunction)function, METH_O, text}
#define NONE(name, function, text) {name, (PyCFunction)function, METH_NOARGS, text}
#define SOME(name, function, text) {name, (PyCFunction)function, METH_VARARGS, text}
#define FAST(name, function, text) {name, (PyCFunction)(void (*)(void))function, METH_FASTCALL, text}
static PyMethodDef recorder_methods[] = {
    ONE("enter", hook_enter, "A call of a plain function begins."),
    ONE("leave", hook_leave, "It ends."),
    ONE("error", hook_error, "Count the exception being handled against the function of a call."),
    NONE("leave_top", hook_leave_top, "The same as leave."),
    NONE("error_top", hook_error_top, "The same as error, for a plain function."),
    ONE("raised", hook_raised, "Count the exception being handled against a function by its number."),
    ONE("begin", hook_begin, "The first slice of a generator begins; the token of the call."),
    ONE("begin_in_entry", hook_begin_in_entry, "The same for a coroutine: it belongs to the entry of its task."),
    ONE("end", hook_end, "The call of a token ends."),
    ONE("suspend", hook_suspend, "A slice ends."),
    ONE("resume", hook_resume, "A slice begins on this thread."),
    ONE("push_entry", push_entry, "An entry begins on this thread; its token."),
    ONE("pop_entry", pop_entry, "An entry ends."),
    FAST("on_first", on_first, "For PY_START of any code."),
    FAST("on_start", on_start, "For PY_START."),
    FAST("on_return", on_return, "For PY_RETURN."),
    FAST("on_yield", on_yield, "For PY_YIELD."),
    FAST("on_resume", on_resume, "For PY_RESUME."),
    FAST("on_throw", on_resume, "For PY_THROW."),
    FAST("on_unwind", on_unwind, "For PY_UNWIND."),
    SOME("register", register_function, "register(number, kind, code=None)"),
    SOME("register_code", register_code, "register_code(code, number): a further code object of a function."),
    ONE("number_of", number_of, "The number of the function of a code object; 0: none."),
    SOME("set_form", set_form, "set_form(number, form): OFF, COUNT, TIMED or DRAIN."),
    SOME("set_sampled", set_sampled, "set_sampled(number, sampled)"),
    SOME("set_trigger", set_trigger, "set_trigger(number, slow_ns, every): which calls are exemplars; 0: none."),
    SOME("set_bar", set_bar, "set_bar(number, kind, bar): show of the even sample (0) or the slow calls (1) those with a tag below."),
    NONE("take_passed", take_passed, "Calls that were offered but not shown, [(number, (even, of them sampled), (slow, of them"
         " sampled))], since last asked; all bars are 1 again."),
    NONE("take_counts", take_counts, "Calls in form COUNT since last asked: {number: n}."),
    SOME("meter", meter, "meter(first=0, limit=all): recorded calls since last asked, of so many functions from a number on:"
         " [(number, calls, wall ns)]; None: there are no more."),
    NONE("resumptions", resumptions, "Slices that ended since last asked: [(number, n)]."),
    ONE("live", live, "How many recorded calls of a function run or wait."),
    ONE("cut", cut, "Give up the running calls of functions."),
    ONE("seed", seed, "Take in the running calls of functions, as callers only."),
    NONE("context", context, "Where things are accumulated now."),
    NONE("function", function, "The innermost application function here; 0: none."),
    NONE("now", now, "Its clock, in ns."),
    NONE("asking", asking, "The functions of which calls ran statements, since last asked: [(number, whether it was a call site)]."),
    SOME("fold", fold, "fold(context, name, all=False): move the calls of a context to the table of a name; with `all` its"
         " executions too."),
    ONE("fold_nameless", fold_nameless, "fold_nameless(context): move its executions to a table that waits for the name."),
    ONE("pending", pending, "pending(contexts): about how many calls were folded, and wait in these contexts."),
    ONE("clear", clear, "Forget the calls of a context."),
    ONE("take", take, "take(limit): up to so many rows (name, function, sampled, calls, callers, wall, own, errors), and then"
        " (name, function, sampled, key, executions, identical, time, drivers) and (name, key, wall, rows, errors)."),
    ROWS_METHODS,
    NONE("reap", reap, "Give up threads that ended; their contexts."),
    NONE("root", root, "The context of this thread outside of entries."),
    ONE("narrow", set_narrow, "narrow(level): 1: no new callers of known functions, 2: no new rows, 0: all."),
    NONE("given_up", get_given_up, "Calls that were not recorded at level 2."),
    NONE("rouse", rouse, "Let the next call call wake again."),
    NONE("grew", grew, "Whether a function was called that was not called before, since last asked."),
    SOME("switch_stack", switch_stack,
         "switch_stack(key, base=-1): go on with another stack on this thread, made on top of `base` where it is new;"
         " 0 is the thread's own."),
    ONE("drop_stack", drop_stack, "drop_stack(key): forget a stack that is not in use."),
    NONE("forget", forget, "After a fork, in the child."),
    NONE("close", close_recorder, "Record nothing any more."),
    NONE("memory", memory, "Bytes held."),
    {NULL},
};
static PyType_Slot recorder_slots[] = {
    {Py_tp_doc, "Recorder(entry, make_context, bounds, clock=None); see native.py."},
    {Py_tp_new, recorder_new},
    {Py_tp_traverse, recorder_traverse},
    {Py_tp_clear, recorder_clear},
    {Py_tp_dealloc, recorder_dealloc},
    {Py_tp_members, recorder_members},
    {Py_tp_methods, recorder_methods},
    {0, NULL},
};
static PyType_Spec recorder_spec = {
    "burnish_sensor.recording._core.Recorder", sizeof(Recorder), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, recorder_slots};

/* ---- the module ---- */

static int add(PyObject *module, const char *name, PyObject *object)
{
    if (object == NULL || PyModule_AddObject(module, name, object) < 0) {
        Py_XDECREF(object);
        return -1;
    }
    return 0;
}

static int module_exec(PyObject *module)
{
    if (PyThreadState_Get()->interp != PyInterpreterState_Main()) {
        PyErr_SetString(PyExc_ImportError, "burnish_sensor.recording._core observes the main interpreter only");
        return -1;
    }
    if (extra_index < 0) extra_index = code_extra_index();
    if (extra_index < 0) {
        PyErr_SetString(PyExc_ImportError, "burnish_sensor.recording._core: no index for extras of code objects is left");
        return -1;
    }
    PyObject *log = PyType_FromSpec(&log_spec), *call = PyType_FromSpec(&call_spec), *recorder = PyType_FromSpec(&recorder_spec);
    PyObject *none = PyObject_CallNoArgs((PyObject *)&PyBaseObject_Type), *queries = PyType_FromSpec(&query_log_spec);
    PyObject *execution = PyType_FromSpec(&execution_spec), *lent = PyType_FromSpec(&lent_spec);
    if (log == NULL || call == NULL || recorder == NULL || none == NULL || queries == NULL || execution == NULL ||
        lent == NULL || !add_methods()) return -1;
    recorder_type = (PyTypeObject *)recorder;
    execution_type = (PyTypeObject *)execution;
    lent_type = (PyTypeObject *)lent;
    call_log_type = (PyTypeObject *)log;
    call_type = (PyTypeObject *)call;
    missing = none;
    if (add(module, "CallLog", Py_NewRef(log)) < 0 || add(module, "Recorder", Py_NewRef(recorder)) < 0 || add(module, "QueryLog", queries) < 0 ||
        add(module, "MISSING", Py_NewRef(none)) < 0) return -1;
    if (PyModule_AddIntConstant(module, "OFF", OFF) < 0 || PyModule_AddIntConstant(module, "COUNT", COUNT) < 0 ||
        PyModule_AddIntConstant(module, "TIMED", TIMED) < 0 || PyModule_AddIntConstant(module, "DRAIN", DRAIN) < 0) return -1;
    return PyModule_AddStringConstant(module, "VERSION", CORE_VERSION);
}

static PyModuleDef_Slot module_slots[] = {
    {Py_mod_exec, module_exec},
#if PY_VERSION_HEX >= 0x030C0000
    {Py_mod_multiple_interpreters, Py_MOD_MULTIPLE_INTERPRETERS_NOT_SUPPORTED},
#endif
    {0, NULL},
};
static PyModuleDef module_definition = {
    PyModuleDef_HEAD_INIT, "_core", "The native recorder; see native.py.", 0, NULL, module_slots, NULL, NULL, NULL};

PyMODINIT_FUNC PyInit__core(void) { return PyModuleDef_Init(&module_definition); }
