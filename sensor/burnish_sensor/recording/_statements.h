/* What the hooks of databases call: queries/python_log.py in C. Included by _core.c, whose names it uses.
 *
 * Whatever can run Python code (the hash of an application's parameters, a statement that is new) comes before the
 * pointers into stacks, logs and tables are looked up. */

#define EXECUTIONS 4096      /* of one log that wait to be folded */

/* Stands for a guard that perhaps nobody will close: it is open no longer than its owner keeps it. */
typedef struct {
    PyObject_HEAD
    Execution *guard;        /* NULL: it is gone */
} Lent;

/* A statement: first a guard, while it runs, and then an execution, whose rows may still come. */
struct Execution {
    PyObject_HEAD
    Lent *lent;
    PyObject *file;          /* NULL: it has no site */
    PyObject *error;         /* the name of a type */
    int64_t start, wall, order;
    int64_t rows, counted;   /* NO_ROWS: the driver told none; it was not folded yet */
    uint32_t function, key;
    int line;
    char open, waiting;
};

typedef struct {
    PyObject_HEAD
    Recorder *recorder;
    PyObject *files;         /* relative paths of the application's files */
    PyObject *known;         /* ids of statements by (text, system) */
    PyObject *identify;      /* the id of one that is not known */
    PyObject *elsewhere;     /* the site of a function whose frame is not on this stack */
    PyObject *unknown;       /* stands for parameters that cannot be compared */
    PyObject *inside, *left, *carried;
    char active;
} QueryLog;

/* ---- executions ---- */

static void execution_dealloc(Execution *e)
{
    PyTypeObject *type = Py_TYPE(e);
    if (e->lent != NULL) e->lent->guard = NULL;
    Py_XDECREF(e->lent);
    Py_XDECREF(e->file);
    Py_XDECREF(e->error);
    type->tp_free((PyObject *)e);
    Py_DECREF(type);
}

static PyMemberDef execution_members[] = {
    {"open", T_BOOL, offsetof(Execution, open), 0, "whether the libraries below record nothing"},
    {NULL},
};
static PyType_Slot execution_slots[] = {
    {Py_tp_doc, "A statement: a guard while it runs, then an execution."},
    {Py_tp_dealloc, execution_dealloc},
    {Py_tp_members, execution_members},
    {0, NULL},
};
static PyType_Spec execution_spec = {
    "burnish_sensor.recording._core.Execution", sizeof(Execution), 0, Py_TPFLAGS_DEFAULT, execution_slots};

static void lent_dealloc(Lent *lent)
{
    PyTypeObject *type = Py_TYPE(lent);
    type->tp_free((PyObject *)lent);
    Py_DECREF(type);
}

static PyType_Slot lent_slots[] = {
    {Py_tp_doc, "A guard that ends with its owner."},
    {Py_tp_dealloc, lent_dealloc},
    {0, NULL},
};
static PyType_Spec lent_spec = {"burnish_sensor.recording._core.Lent", sizeof(Lent), 0, Py_TPFLAGS_DEFAULT, lent_slots};

static void fold_execution(Execution *e, QueryTable *t)
{
    int64_t counted = e->counted, rows = e->rows;
    e->waiting = 0;
    e->counted = rows != NO_ROWS ? rows : 0;
    QueryRow *row = query_row(t, e->key);
    if (row == NULL) {
        t->dropped++;
        return;
    }
    add_rows(row, rows == NO_ROWS || counted == NO_ROWS ? rows : rows - counted);
    if (counted != NO_ROWS) return;  /* rows that came after it was folded */
    histogram_add(&row->wall, e->wall);
    if (e->error != NULL) count_error(&row->errors, &row->n_errors, e->error, 1);
}

static void fold_executions(CallLog *log, QueryTable *t)
{
    for (uint32_t i = 0; i < log->n_executions; i++) {
        fold_execution(log->executions[i], t);
        Py_DECREF(log->executions[i]);
    }
    log->n_executions = 0;
    if (log->executions_room > 256) {
        free(log->executions);
        log->executions = NULL;
        log->executions_room = 0;
    }
}

static void drop_executions(CallLog *log)
{
    for (uint32_t i = 0; i < log->n_executions; i++) Py_DECREF(log->executions[i]);
    log->n_executions = 0;
}

static size_t executions_bytes(const CallLog *log)
{
    return log->executions_room * sizeof(Execution *) + log->n_executions * sizeof(Execution);
}

/* Let an execution wait to be folded. */
static void await_fold(CallLog *log, Execution *e)
{
    if (log->n_executions >= EXECUTIONS && partial_of(log) != NULL) fold_executions(log, &log->partial->queries);
    if (!log->open || log->n_executions >= EXECUTIONS ||
        (log->n_executions >= log->executions_room && !more(&log->executions, &log->executions_room, sizeof(Execution *)))) return;
    e->waiting = 1;
    log->executions[log->n_executions++] = (Execution *)Py_NewRef((PyObject *)e);
}

/* ---- keys ---- */

static uint32_t place_hash(const Place *p)
{
    return use_hash(p->statement * 31 + p->function, p->file * 31 + (uint32_t)p->line);
}

static uint32_t hash_of_place(const void *places, uint32_t i) { return place_hash(&((const Place *)places)[i]); }

static uint32_t find_key(Recorder *r, const Place *wanted)
{
    if (!r->key_mask) return 0;
    for (uint32_t at = place_hash(wanted) & r->key_mask; r->key_index[at]; at = (at + 1) & r->key_mask) {
        const Place *p = &r->places[r->key_index[at]];
        if (p->statement == wanted->statement && p->function == wanted->function && p->file == wanted->file &&
            p->line == wanted->line) return r->key_index[at];
    }
    return 0;
}

/* Number a statement at a site that is new. 0: there are too many, or an exception. */
static uint32_t add_key(Recorder *r, const Place *place, PyObject *statement, Execution *e)
{
    PyObject *key = Py_BuildValue("(O(IOi))", statement, e->function, e->file, e->line);
    if (key == NULL) return 0;
    uint32_t number = find_key(r, place);  /* to make the tuple may have run anything */
    if (!number && r->n_keys >= MOST_KEYS) r->dropped_uses++;
    if (number || r->n_keys >= MOST_KEYS) goto done;
    while (r->n_keys + 2 > r->keys_room) {
        if (!more(&r->statements, &r->keys_room, sizeof(uint32_t))) goto done;
    }
    while (r->n_keys + 2 > r->places_room) {
        if (!more(&r->places, &r->places_room, sizeof(Place))) goto done;
    }
    if ((r->n_keys + 2) * 2 > r->key_mask &&
        !regrow(&r->key_index, &r->key_mask, r->places + 1, r->n_keys, hash_of_place)) goto done;
    if (PyList_Append(r->key_list, key) < 0) goto done;
    number = ++r->n_keys;
    r->places[number] = *place;
    r->statements[number] = place->statement;
    uint32_t at = place_hash(place) & r->key_mask;
    while (r->key_index[at]) at = (at + 1) & r->key_mask;
    r->key_index[at] = number;
done:
    Py_DECREF(key);
    return number;
}

static uint32_t key_number(Recorder *r, PyObject *statement, Execution *e)
{
    Place place = {numbered(r->statement_numbers, statement), e->function, 0, e->line};
    place.file = place.statement ? numbered(r->file_numbers, e->file) : 0;
    if (!place.file) return 0;
    uint32_t number = find_key(r, &place);
    return number ? number : add_key(r, &place, statement, e);
}

/* What the running call on this thread ran; NULL at the bottom of a stack. */
static Queries *running_queries(Recorder *r, State *s)
{
    Frame *top = !r->closed ? top_of(s->current) : NULL;
    if (top != NULL && top->queries == NULL) top->queries = calloc(1, sizeof(Queries));
    return top != NULL ? top->queries : NULL;
}

/* ---- sites ---- */

/* The line of a place in code, from memory where it was asked for before. */
static int line_of(Recorder *r, RealFrame *real, PyObject *code)
{
    int at = real_place(real, code);
    Seen *seen = &r->seen[((uintptr_t)code / 16 * 31 + (unsigned)at) % PLACES_KEPT];
    if (seen->code == code && seen->at == at) return seen->line;
    int line = real_line(real, code);
    PyObject *before = seen->code;
    *seen = (Seen){Py_NewRef(code), at, line};
    Py_XDECREF(before);
    return line;
}

/* Take a site that was left or carried, a tuple (function, file, line), of any function or of this one. */
static int take_site(Execution *e, PyObject *site, uint32_t function)
{
    if (!PyTuple_CheckExact(site) || PyTuple_GET_SIZE(site) != 3) return 0;
    uint32_t number = (uint32_t)PyLong_AsUnsignedLong(PyTuple_GET_ITEM(site, 0));
    if (function && number != function) return 0;
    e->function = number;
    e->file = Py_NewRef(PyTuple_GET_ITEM(site, 1));
    e->line = (int)PyLong_AsLong(PyTuple_GET_ITEM(site, 2));
    return 1;
}

static int take_from(Execution *e, PyObject *variable, uint32_t function)
{
    PyObject *site;
    if (PyContextVar_Get(variable, Py_None, &site) < 0) return -1;
    int taken = site != Py_None && take_site(e, site, function);
    Py_DECREF(site);
    return taken;
}

/* File and line of the innermost function's frame whose code is the application's: 1 found, 0 not, -1 an exception. */
static int take_frame(QueryLog *l, State *s, Execution *e, uint32_t function)
{
    for (RealFrame *real = running(s); real != NULL; real = real_below(real)) {
        PyCodeObject *code = (PyCodeObject *)real_code(real);
        if (code == NULL || !(code->co_flags & CO_OPTIMIZED)) continue;
        PyObject *file = PyDict_GetItemWithError(l->files, code->co_filename);
        if (file == NULL) {
            if (PyErr_Occurred()) return -1;
        } else if (PyUnicode_CompareWithASCIIString(code->co_name, "<lambda>") != 0) {
            e->function = function;
            e->file = Py_NewRef(file);
            e->line = line_of(l->recorder, real, (PyObject *)code);
            return 1;
        }
    }
    return 0;
}

/* Find the application's function that runs here, and its line. `entered`: a greenlet may have been entered, or a task
 * made, for a function that is not on this stack. 1 found, 0 not, -1 an exception. */
static int find_site(QueryLog *l, Execution *e, int entered)
{
    Recorder *r = l->recorder;
    State *s = state_of(r);
    int here = 1;
    uint32_t function = s != NULL ? nearest(r, s, &here) : 0;
    if (entered && !here) {
        int found = take_from(e, l->left, 0);
        if (found) return found;
    }
    if (function) {
        int found = entered && here ? take_from(e, l->left, function) : 0;
        if (!found) found = take_frame(l, s, e, function);
        if (found) return found;
        PyObject *number = PyLong_FromUnsignedLong(function);
        PyObject *site = number != NULL ? PyObject_CallFunctionObjArgs(l->elsewhere, number, NULL) : NULL;
        Py_XDECREF(number);
        if (site == NULL) return -1;
        found = take_site(e, site, 0);
        Py_DECREF(site);
        if (found) return found;
    }
    return entered ? take_from(e, l->carried, 0) : 0;
}

/* ---- what the hooks call ---- */

/* Errors of the sensor's own are swallowed; what ends a program is not ours to stop. */
static int swallow(void)
{
    if (!PyErr_Occurred()) return 1;
    if (!PyErr_ExceptionMatches(PyExc_Exception)) return 0;
    PyErr_Clear();
    return 1;
}

static PyObject *nothing(void) { return swallow() ? Py_NewRef(Py_None) : NULL; }

static int is_open(PyObject *guard)
{
    if (Py_IS_TYPE(guard, lent_type)) guard = (PyObject *)((Lent *)guard)->guard;
    return guard != NULL && Py_IS_TYPE(guard, execution_type) && ((Execution *)guard)->open;
}

static PyObject *lend(Execution *e)
{
    Lent *lent = (Lent *)lent_type->tp_alloc(lent_type, 0);
    if (lent == NULL) return NULL;
    lent->guard = e;
    e->lent = lent;
    return (PyObject *)lent;
}

static int go_inside(QueryLog *l, PyObject *guard)
{
    PyObject *token = guard != NULL ? PyContextVar_Set(l->inside, guard) : NULL;
    Py_XDECREF(token);
    return token != NULL;
}

static Execution *new_execution(void)
{
    Execution *e = (Execution *)execution_type->tp_alloc(execution_type, 0);
    if (e != NULL) e->rows = e->counted = NO_ROWS;
    return e;
}

static PyObject *begin_statement(QueryLog *l, int lent)
{
    PyObject *outer;
    if (!l->active || l->recorder == NULL) Py_RETURN_NONE;
    if (PyContextVar_Get(l->inside, Py_None, &outer) < 0) return nothing();
    int inside = is_open(outer);
    Py_DECREF(outer);
    if (inside) Py_RETURN_NONE;
    Execution *e = new_execution();
    if (e == NULL) return nothing();
    if (find_site(l, e, 1) >= 0) {
        e->open = 1;
        e->start = now_of(l->recorder);
        if (go_inside(l, lent ? lend(e) : (PyObject *)e)) return (PyObject *)e;
    }
    Py_DECREF(e);
    return nothing();
}

static PyObject *log_statement(QueryLog *l, PyObject *Py_UNUSED(ignored)) { return begin_statement(l, 0); }
static PyObject *log_lent_statement(QueryLog *l, PyObject *Py_UNUSED(ignored)) { return begin_statement(l, 1); }

static PyObject *log_resume(QueryLog *l, PyObject *guard)
{
    if (!Py_IS_TYPE(guard, execution_type) || l->recorder == NULL) Py_RETURN_NONE;
    Execution *e = (Execution *)guard;
    e->open = 1;
    e->start = now_of(l->recorder);
    return go_inside(l, guard) ? Py_NewRef(Py_None) : nothing();
}

/* The id of a statement; NULL with an exception. */
static PyObject *identified(QueryLog *l, PyObject *text, PyObject *system)
{
    PyObject *key = PyTuple_Pack(2, text, system);
    if (key == NULL) return NULL;
    PyObject *known = PyDict_GetItemWithError(l->known, key);
    Py_XINCREF(known);
    Py_DECREF(key);
    if (known == NULL && !PyErr_Occurred()) known = PyObject_CallFunctionObjArgs(l->identify, text, system, NULL);
    if (known != NULL && !PyUnicode_Check(known)) Py_CLEAR(known);
    return known;
}

/* What parameters are compared by: as tuples, those that have no hash by how they are shown. */
static PyObject *form_of(PyObject *values)
{
    if (PyList_CheckExact(values)) return PyList_AsTuple(values);
    if (!PyDict_CheckExact(values)) return Py_NewRef(values);
    PyObject *items = PyDict_Items(values), *form = items != NULL ? PyList_AsTuple(items) : NULL;
    Py_XDECREF(items);
    return form;
}

static uint64_t mixed(uint64_t a, uint64_t b)
{
    a = (a ^ b) * 0x9E3779B97F4A7C15ull;
    return a ^ a >> 32;
}

/* A salted hash of the text and the parameters of an execution, 0 where they have none. -1: an exception to pass on. */
static int hash_parameters(QueryLog *l, PyObject *text, PyObject *values, uint64_t *hash)
{
    *hash = 0;
    if (values == l->unknown) return 0;
    Py_hash_t whole = PyObject_Hash(text), of_form = -1;
    PyObject *form = whole != -1 ? form_of(values) : NULL;
    if (form != NULL) of_form = PyObject_Hash(form);
    if (form != NULL && of_form == -1 && swallow()) {
        PyObject *shown = PyObject_Repr(form);
        if (shown != NULL) of_form = PyObject_Hash(shown);
        Py_XDECREF(shown);
    }
    Py_XDECREF(form);
    if (of_form == -1) return swallow() ? 0 : -1;
    *hash = mixed(mixed((uint64_t)(uintptr_t)l, (uint64_t)whole), (uint64_t)of_form) | 1;
    return 0;
}

/* Record an execution that has a key in what runs here. */
static void add_execution(Recorder *r, State *s, Execution *e, uint64_t parameters)
{
    Function *f = e->function < r->n_functions ? r->functions[e->function] : NULL;
    if (f != NULL) ask(r, f, CALL_SITE);
    e->order = ++r->order;
    await_fold(context_of(r, s), e);
    Queries *q = running_queries(r, s);
    KeyUse *use = q != NULL ? use_at(q, e->key, e->order) : NULL;
    if (use == NULL) return;
    use->n++;
    use->time += e->wall;
    if (parameters) use_parameters(use, parameters);
}

/* All of a statement that may run Python code: its id, the hash of its parameters, its key. 0: an exception. */
static int describe(QueryLog *l, Execution *e, PyObject *given, PyObject *parameters, PyObject *system, uint64_t *hash)
{
    PyObject *text = PyUnicode_Check(given) ? Py_NewRef(given) : PyObject_Str(given);
    PyObject *statement = text != NULL ? identified(l, text, system) : NULL;
    int known = statement != NULL && (e->file == NULL || hash_parameters(l, text, parameters, hash) == 0);
    if (known && e->file != NULL) e->key = key_number(l->recorder, statement, e);
    Py_XDECREF(text);
    Py_XDECREF(statement);
    return known && !PyErr_Occurred();
}

static PyObject *end_statement(QueryLog *l, Execution *e, PyObject *text, PyObject *parameters, PyObject *system,
                               PyObject *error)
{
    uint64_t hash = 0;
    e->wall = now_of(l->recorder) - e->start;
    if (!describe(l, e, text, parameters, system, &hash)) return nothing();
    if (error != Py_None) e->error = name_of_type((PyObject *)Py_TYPE(error));
    State *s = state_of(l->recorder);
    if (s == NULL || PyErr_Occurred()) return nothing();
    context_of(l->recorder, s)->query_count++;
    if (!e->key) Py_RETURN_NONE;
    add_execution(l->recorder, s, e, hash);
    return Py_NewRef((PyObject *)e);
}

/* End a guard: its execution or None; NULL: an exception to pass on. */
static PyObject *close_guard(QueryLog *l, Execution *e, PyObject *text, PyObject *parameters, PyObject *system,
                             PyObject *error)
{
    e->open = 0;
    if (!l->active || l->recorder == NULL || e->key) Py_RETURN_NONE;
    return end_statement(l, e, text, parameters, system, error);
}

/* executed(guard, text, parameters, system, error=None) */
static PyObject *log_executed(QueryLog *l, PyObject *const *arguments, Py_ssize_t n)
{
    if (n < 4 || n > 5) return PyErr_Format(PyExc_TypeError, "executed(guard, text, parameters, system, error=None)");
    if (!Py_IS_TYPE(arguments[0], execution_type)) Py_RETURN_NONE;
    PyObject *error = n == 5 ? arguments[4] : Py_None;
    return close_guard(l, (Execution *)arguments[0], arguments[1], arguments[2], arguments[3], error);
}

/* So many more rows of an execution were fetched. */
static void add_fetched(Recorder *r, Execution *e, int64_t rows, int64_t wall)
{
    State *s = state_of(r);
    int64_t before = e->rows != NO_ROWS ? e->rows : 0;
    if (s == NULL) return;
    e->rows = before + rows;
    e->wall += wall;
    if (!e->waiting) await_fold(context_of(r, s), e);
    Queries *q = running_queries(r, s);
    KeyUse *use = q != NULL ? use_at(q, e->key, e->order) : NULL;
    if (use == NULL) return;
    use->rows += (uint64_t)rows;
    use->time += wall;
    if (before <= 1 && e->rows > 1) note_driver(q, e->order, e->key);
}

static PyObject *log_rows(QueryLog *l, PyObject *const *arguments, Py_ssize_t n, int since)
{
    if (n != 3) return PyErr_Format(PyExc_TypeError, "fetched(execution, rows, ns)");
    if (!Py_IS_TYPE(arguments[0], execution_type) || !l->active || l->recorder == NULL) Py_RETURN_NONE;
    Execution *e = (Execution *)arguments[0];
    int64_t rows = PyLong_AsLongLong(arguments[1]), ns = PyLong_AsLongLong(arguments[2]);
    if (PyErr_Occurred()) return nothing();
    if (e->key) add_fetched(l->recorder, e, rows, since ? now_of(l->recorder) - ns : ns);
    return nothing();
}

static PyObject *log_fetched(QueryLog *l, PyObject *const *arguments, Py_ssize_t n) { return log_rows(l, arguments, n, 0); }
static PyObject *log_fetched_since(QueryLog *l, PyObject *const *arguments, Py_ssize_t n) { return log_rows(l, arguments, n, 1); }

static PyObject *site_or_none(QueryLog *l, int entered)
{
    Execution *e = l->recorder != NULL ? new_execution() : NULL;
    int found = e != NULL ? find_site(l, e, entered) : 0;
    PyObject *site = found > 0 ? Py_BuildValue("(IOi)", e->function, e->file, e->line) : NULL;
    Py_XDECREF(e);
    return site != NULL ? site : nothing();
}

static PyObject *log_site(QueryLog *l, PyObject *Py_UNUSED(ignored)) { return site_or_none(l, 1); }

/* Keep the current site in a context variable, if an application function is on the stack: the token, or None. */
static PyObject *keep(QueryLog *l, PyObject *variable)
{
    if (!l->active) Py_RETURN_NONE;
    PyObject *site = site_or_none(l, 0);
    if (site == NULL || site == Py_None) return site;
    PyObject *token = PyContextVar_Set(variable, site);
    Py_DECREF(site);
    return token != NULL ? token : nothing();
}

static PyObject *log_carry(QueryLog *l, PyObject *Py_UNUSED(ignored)) { return keep(l, l->carried); }
static PyObject *log_leave(QueryLog *l, PyObject *Py_UNUSED(ignored)) { return keep(l, l->left); }

#include "_methods.h"

/* ---- the type ---- */

static PyObject *query_log_new(PyTypeObject *type, PyObject *arguments, PyObject *Py_UNUSED(names))
{
    PyObject *recorder, *files, *known, *identify, *elsewhere, *unknown;
    if (!PyArg_ParseTuple(arguments, "O!O!O!OOO:QueryLog", recorder_type, &recorder, &PyDict_Type, &files, &PyDict_Type,
                          &known, &identify, &elsewhere, &unknown)) return NULL;
    QueryLog *l = (QueryLog *)type->tp_alloc(type, 0);
    if (l == NULL) return NULL;
    l->recorder = (Recorder *)Py_NewRef(recorder);
    l->files = Py_NewRef(files);
    l->known = Py_NewRef(known);
    l->identify = Py_NewRef(identify);
    l->elsewhere = Py_NewRef(elsewhere);
    l->unknown = Py_NewRef(unknown);
    l->active = 1;
    l->inside = PyContextVar_New("burnish_statement", NULL);
    l->left = PyContextVar_New("burnish_left", NULL);
    l->carried = PyContextVar_New("burnish_site", NULL);
    if (l->inside != NULL && l->left != NULL && l->carried != NULL) return (PyObject *)l;
    Py_DECREF(l);
    return NULL;
}

static int query_log_traverse(QueryLog *l, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(l));
    Py_VISIT((PyObject *)l->recorder);
    Py_VISIT(l->files);
    Py_VISIT(l->known);
    Py_VISIT(l->identify);
    Py_VISIT(l->elsewhere);
    Py_VISIT(l->unknown);
    Py_VISIT(l->inside);
    Py_VISIT(l->left);
    Py_VISIT(l->carried);
    return 0;
}

static int query_log_clear(QueryLog *l)
{
    l->active = 0;
    Py_CLEAR(l->recorder);  /* without it, nothing else is used */
    Py_CLEAR(l->identify);
    Py_CLEAR(l->elsewhere);
    return 0;
}

static void query_log_dealloc(QueryLog *l)
{
    PyTypeObject *type = Py_TYPE(l);
    PyObject_GC_UnTrack(l);
    query_log_clear(l);
    Py_XDECREF(l->files);
    Py_XDECREF(l->known);
    Py_XDECREF(l->unknown);
    Py_XDECREF(l->inside);
    Py_XDECREF(l->left);
    Py_XDECREF(l->carried);
    type->tp_free((PyObject *)l);
    Py_DECREF(type);
}

static PyMemberDef query_log_members[] = {
    {"active", T_BOOL, offsetof(QueryLog, active), 0, "whether anything is recorded"},
    {NULL},
};
#define LOG_NONE(name, text) {#name, (PyCFunction)log_##name, METH_NOARGS, text}
#define LOG_FAST(name, text) {#name, (PyCFunction)(void (*)(void))log_##name, METH_FASTCALL, text}
static PyMethodDef query_log_methods[] = {
    LOG_NONE(statement, "Begin to record a statement; see QueryLog of queries/log.py, so all below."),
    LOG_NONE(lent_statement, "The same for who may never hear of its end."),
    {"resume", (PyCFunction)log_resume, METH_O, "Begin in this task what was begun where its coroutine was made."},
    LOG_FAST(executed, "executed(guard, text, parameters, system, error=None): it ends."),
    LOG_FAST(fetched, "fetched(execution, rows, wall)"),
    LOG_FAST(fetched_since, "fetched_since(execution, rows, start)"),
    LOG_FAST(execute_method, "execute_method(plain, original, system, many): what a cursor class has in the place of `plain`."),
    LOG_FAST(fetch_method, "fetch_method(plain, original, one): the same; `original` may be a name that `__getattr__` finds."),
    LOG_NONE(site, "Where a statement that begins now belongs; None: nowhere."),
    LOG_NONE(carry, "Make the current site that of a task about to be made."),
    LOG_NONE(leave, "Make the current site that of what a greenlet does."),
    {NULL},
};
static PyType_Slot query_log_slots[] = {
    {Py_tp_doc, "QueryLog(recorder, files, known, identify, elsewhere, unknown); see native.py."},
    {Py_tp_new, query_log_new},
    {Py_tp_traverse, query_log_traverse},
    {Py_tp_clear, query_log_clear},
    {Py_tp_dealloc, query_log_dealloc},
    {Py_tp_members, query_log_members},
    {Py_tp_methods, query_log_methods},
    {0, NULL},
};
static PyType_Spec query_log_spec = {
    "burnish_sensor.recording._core.QueryLog", sizeof(QueryLog), 0, Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC, query_log_slots};
