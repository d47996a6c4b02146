/* Methods of cursors in C: what hooks/_dbapi.py and hooks/django.py make of them, without a Python frame. Included by
 * _core.c, after _statements.h.
 *
 * Anything unusual (keywords, a query that is no string, a cursor that can hold no attribute) is left to `plain`, the
 * wrapper in Python of the same method. */

typedef struct {
    PyObject_HEAD
    vectorcallfunc call;
    PyObject *original;      /* of a method that is reached through `__getattr__`: its name */
    PyObject *plain;
    PyObject *system;        /* NULL: that of `self.db.vendor` */
    PyObject *dict, *weak;
    QueryLog *log;
    char many, one;
} Method;

static PyObject *name_burnish, *name_db, *name_vendor, *name_getattr;

/* ---- what a cursor executed last ---- */

/* It, or None; NULL where the cursor cannot hold it. */
static PyObject *recalled(PyObject *cursor)
{
    if (!Py_TYPE(cursor)->tp_dictoffset) return NULL;
    PyObject *known = PyObject_GetAttr(cursor, name_burnish);
    if (known == NULL) PyErr_Clear();
    return known;
}

/* Keep what a cursor executed, or None. What is raised meanwhile stays. */
static void remember(PyObject *cursor, PyObject *execution)
{
    PyObject *type, *value, *trace;
    PyErr_Fetch(&type, &value, &trace);
    if (PyObject_SetAttr(cursor, name_burnish, execution) < 0) PyErr_Clear();
    PyErr_Restore(type, value, trace);
}

/* The rows of an earlier statement are not those that come now. 0: the cursor cannot hold any. */
static int forget_last(PyObject *cursor)
{
    PyObject *known = recalled(cursor);
    if (known == NULL) return 0;
    if (known != Py_None) remember(cursor, Py_None);
    Py_DECREF(known);
    return 1;
}

/* ---- execute ---- */

static PyObject *system_of(Method *m, PyObject *cursor)
{
    if (m->system != NULL) return Py_NewRef(m->system);
    PyObject *connection = PyObject_GetAttr(cursor, name_db);
    PyObject *system = connection != NULL ? PyObject_GetAttr(connection, name_vendor) : NULL;
    Py_XDECREF(connection);
    if (system == NULL) PyErr_Clear();
    return system;
}

/* The end of an execution, which may have raised: 0 where what was raised now is to be passed on instead. */
static int end_execution(Method *m, Execution *guard, PyObject *const *arguments, Py_ssize_t n, PyObject *system)
{
    PyObject *type, *error, *trace;
    PyErr_Fetch(&type, &error, &trace);
    if (type != NULL) PyErr_NormalizeException(&type, &error, &trace);
    PyObject *given = m->many ? m->log->unknown : n > 2 ? arguments[2] : Py_None;
    PyObject *execution = close_guard(m->log, guard, arguments[1], given, system, error != NULL ? error : Py_None);
    if (execution == NULL) {
        Py_XDECREF(type);
        Py_XDECREF(error);
        Py_XDECREF(trace);
        return 0;
    }
    remember(arguments[0], execution);
    Py_DECREF(execution);
    PyErr_Restore(type, error, trace);
    return 1;
}

static PyObject *call_execute(PyObject *method, PyObject *const *arguments, size_t flags, PyObject *names)
{
    Method *m = (Method *)method;
    Py_ssize_t n = PyVectorcall_NARGS(flags);
    if (names != NULL || n < 2 || n > 3 || !PyUnicode_Check(arguments[1]) || !forget_last(arguments[0])) {
        return PyObject_Vectorcall(m->plain, arguments, flags, names);
    }
    PyObject *guard = begin_statement(m->log, 0);
    if (guard == NULL) return NULL;
    PyObject *system = guard != Py_None ? system_of(m, arguments[0]) : NULL;
    PyObject *result = PyObject_Vectorcall(m->original, arguments, flags, NULL);
    if (system != NULL) {
        if (!end_execution(m, (Execution *)guard, arguments, n, system)) Py_CLEAR(result);
        Py_DECREF(system);
    } else if (guard != Py_None) {
        ((Execution *)guard)->open = 0;
    }
    Py_DECREF(guard);
    return result;
}

/* ---- fetch ---- */

static int64_t rows_in(const Method *m, PyObject *result)
{
    if (m->one) return result != Py_None;
    Py_ssize_t n = PyObject_Size(result);
    if (n < 0) PyErr_Clear();
    return n > 0 ? n : 0;
}

static void count_rows(Method *m, PyObject *execution, PyObject *result, int64_t start)
{
    QueryLog *l = m->log;
    if (!Py_IS_TYPE(execution, execution_type) || !l->active || l->recorder == NULL) return;
    Execution *e = (Execution *)execution;
    int64_t rows = rows_in(m, result);
    if (e->key) add_fetched(l->recorder, e, rows, now_of(l->recorder) - start);
}

static int64_t start_of(const Method *m) { return m->log->recorder != NULL ? now_of(m->log->recorder) : 0; }

/* While it runs the methods that it uses itself count nothing. */
static PyObject *call_fetch(PyObject *method, PyObject *const *arguments, size_t flags, PyObject *names)
{
    Method *m = (Method *)method;
    PyObject *execution = PyVectorcall_NARGS(flags) ? recalled(arguments[0]) : NULL;
    if (execution == NULL) return PyObject_Vectorcall(m->plain, arguments, flags, names);
    int counts = execution != Py_None;
    if (counts) remember(arguments[0], Py_None);
    int64_t start = counts ? start_of(m) : 0;
    PyObject *result = PyObject_Vectorcall(m->original, arguments, flags, names);
    if (counts) remember(arguments[0], execution);
    if (counts && result != NULL) count_rows(m, execution, result, start);
    Py_DECREF(execution);
    return result;
}

/* A method that the class of the cursor finds in another object, as Django's does. */
static PyObject *call_fetch_through(PyObject *method, PyObject *const *arguments, size_t flags, PyObject *names)
{
    Method *m = (Method *)method;
    Py_ssize_t n = PyVectorcall_NARGS(flags);
    if (n < 1) return PyObject_Vectorcall(m->plain, arguments, flags, names);
    PyObject *through = PyObject_GetAttr((PyObject *)Py_TYPE(arguments[0]), name_getattr), *found = NULL;
    if (through != NULL) found = PyObject_CallFunctionObjArgs(through, arguments[0], m->original, NULL);
    Py_XDECREF(through);
    if (found == NULL) return NULL;
    int64_t start = start_of(m);
    PyObject *result = PyObject_Vectorcall(found, arguments + 1, (size_t)(n - 1), names);
    Py_DECREF(found);
    PyObject *execution = result != NULL ? recalled(arguments[0]) : NULL;
    if (execution != NULL) count_rows(m, execution, result, start);
    Py_XDECREF(execution);
    return result;
}

/* ---- the type ---- */

static PyObject *method_bound(PyObject *method, PyObject *instance, PyObject *Py_UNUSED(type))
{
    return instance != NULL && instance != Py_None ? PyMethod_New(method, instance) : Py_NewRef(method);
}

static int method_traverse(Method *m, visitproc visit, void *arg)
{
    Py_VISIT(Py_TYPE(m));
    Py_VISIT(m->original);
    Py_VISIT(m->plain);
    Py_VISIT(m->system);
    Py_VISIT(m->dict);
    Py_VISIT((PyObject *)m->log);
    return 0;
}

static void method_dealloc(Method *m)
{
    PyTypeObject *type = Py_TYPE(m);
    PyObject_GC_UnTrack(m);
    if (m->weak != NULL) PyObject_ClearWeakRefs((PyObject *)m);
    Py_XDECREF(m->original);
    Py_XDECREF(m->plain);
    Py_XDECREF(m->system);
    Py_XDECREF(m->dict);
    Py_XDECREF((PyObject *)m->log);
    type->tp_free((PyObject *)m);
    Py_DECREF(type);
}

static PyMemberDef method_members[] = {
    {"__vectorcalloffset__", T_PYSSIZET, offsetof(Method, call), READONLY, NULL},
    {"__dictoffset__", T_PYSSIZET, offsetof(Method, dict), READONLY, NULL},
    {"__weaklistoffset__", T_PYSSIZET, offsetof(Method, weak), READONLY, NULL},
    {NULL},
};
static PyGetSetDef method_attributes[] = {
    {"__dict__", PyObject_GenericGetDict, PyObject_GenericSetDict, NULL, NULL},
    {NULL},
};
static PyType_Slot method_slots[] = {
    {Py_tp_call, PyVectorcall_Call},
    {Py_tp_descr_get, method_bound},
    {Py_tp_traverse, method_traverse},
    {Py_tp_dealloc, method_dealloc},
    {Py_tp_members, method_members},
    {Py_tp_getset, method_attributes},
    {0, NULL},
};
/* No `tp_clear`: a method that is being called must stay whole, and its cycles end with the class that it is put into. */
static PyType_Spec method_spec = {
    "burnish_sensor.recording._core.Method", sizeof(Method), 0,
    Py_TPFLAGS_DEFAULT | Py_TPFLAGS_HAVE_GC | Py_TPFLAGS_HAVE_VECTORCALL | Py_TPFLAGS_METHOD_DESCRIPTOR, method_slots};

static PyTypeObject *method_type;

static PyObject *new_method(QueryLog *l, vectorcallfunc call, PyObject *plain, PyObject *original, PyObject *system)
{
    Method *m = (Method *)method_type->tp_alloc(method_type, 0);
    if (m == NULL) return NULL;
    m->call = call;
    m->plain = Py_NewRef(plain);
    m->original = Py_NewRef(original);
    m->system = system != Py_None ? Py_NewRef(system) : NULL;
    m->log = (QueryLog *)Py_NewRef((PyObject *)l);
    return (PyObject *)m;
}

static PyObject *log_execute_method(QueryLog *l, PyObject *const *arguments, Py_ssize_t n)
{
    if (n != 4) return PyErr_Format(PyExc_TypeError, "execute_method(plain, original, system, many)");
    PyObject *method = new_method(l, call_execute, arguments[0], arguments[1], arguments[2]);
    if (method != NULL) ((Method *)method)->many = arguments[3] == Py_True;
    return method;
}

static PyObject *log_fetch_method(QueryLog *l, PyObject *const *arguments, Py_ssize_t n)
{
    if (n != 3) return PyErr_Format(PyExc_TypeError, "fetch_method(plain, original, one)");
    vectorcallfunc call = PyUnicode_Check(arguments[1]) ? call_fetch_through : call_fetch;
    PyObject *method = new_method(l, call, arguments[0], arguments[1], Py_None);
    if (method != NULL) ((Method *)method)->one = arguments[2] == Py_True;
    return method;
}

static int add_methods(void)
{
    name_burnish = PyUnicode_InternFromString("_burnish");
    name_db = PyUnicode_InternFromString("db");
    name_vendor = PyUnicode_InternFromString("vendor");
    name_getattr = PyUnicode_InternFromString("__getattr__");
    method_type = (PyTypeObject *)PyType_FromSpec(&method_spec);
    return name_burnish != NULL && name_db != NULL && name_vendor != NULL && name_getattr != NULL && method_type != NULL;
}
