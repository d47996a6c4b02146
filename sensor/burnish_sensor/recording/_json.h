/* The call rows of a window that is over, written as JSON without a Python object for each: what window.py and
 * histogram.py write of the same rows, byte for byte. Included by _core.c.
 *
 * Rows that Python has to look at (of functions that were sampled, and of their callers) are *apart*: they are given
 * out as objects, before the rest is written. Each step is short, for the GIL is held in it.
 */
#ifndef BURNISH_JSON_H
#define BURNISH_JSON_H

#define SMALL_MEAN_NS 20000  /* of thresholds.py: functions below are not looked at */

#define KEPT_ROWS 2048       /* how many rows of room are given back at once */
#define MOST_ORDERED 1000    /* rows sorted by name: less than 1 ms */

enum { APART = 1, SEEN = 2, MENTIONED = 4 };

typedef struct {
    PyObject *name;
    Table table;
    uint32_t passed;         /* rows that the steps before the writing went through */
    char ordered;            /* by name, the last first, or too many for that */
} NamedTable;

typedef struct Writing {
    NamedTable *tables;
    int n_tables;
    uint32_t n_functions;
    uint8_t *flags;          /* by function */
    uint64_t *calls;         /* with a wall time, by function, in rows that are not apart */
} Writing;

/* ---- text ---- */

typedef struct {
    char *data;
    size_t n, room;
    char failed;
} Text;

static char *space(Text *t, size_t n)
{
    if (t->n + n > t->room) {
        size_t room = t->room ? t->room * 2 : 32768;
        while (room < t->n + n) room *= 2;
        char *data = realloc(t->data, room);
        if (data == NULL) {
            t->failed = 1;
            return NULL;
        }
        t->data = data;
        t->room = room;
    }
    t->n += n;
    return t->data + t->n - n;
}

static void put_bytes(Text *t, const char *bytes, size_t n)
{
    char *at = space(t, n);
    if (at != NULL) memcpy(at, bytes, n);
}

#define put_literal(t, literal) put_bytes((t), (literal), sizeof(literal) - 1)

static void put_number(Text *t, int64_t value)
{
    char digits[20];
    int n = 0;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
    do digits[sizeof digits - ++n] = (char)('0' + rest % 10);
    while (rest /= 10);
    if (value < 0) put_literal(t, "-");
    put_bytes(t, digits + sizeof digits - n, (size_t)n);
}

static void put_unit(Text *t, unsigned unit)
{
    static const char hex[] = "0123456789abcdef";
    char text[] = {'\\', 'u', hex[unit >> 12 & 15], hex[unit >> 8 & 15], hex[unit >> 4 & 15], hex[unit & 15]};
    put_bytes(t, text, sizeof text);
}

static void put_escaped(Text *t, Py_UCS4 c)
{
    static const char escapes[] = "\"\"\\\\\bb\ff\nn\rr\tt";
    for (const char *escape = escapes; c < 128 && *escape; escape += 2) {
        if ((Py_UCS4)*escape != c) continue;
        char text[] = {'\\', escape[1]};
        put_bytes(t, text, sizeof text);
        return;
    }
    if (c >= 0x10000) {
        put_unit(t, 0xD800 + ((c - 0x10000) >> 10));
        put_unit(t, 0xDC00 + ((c - 0x10000) & 0x3FF));
    } else {
        put_unit(t, c);
    }
}

/* As json.dumps writes a string: in ASCII. */
static void put_string(Text *t, PyObject *string)
{
    Py_ssize_t length = PyUnicode_GET_LENGTH(string), from = 0;
    int kind = PyUnicode_KIND(string);
    const void *data = PyUnicode_DATA(string);
    put_literal(t, "\"");
    for (Py_ssize_t i = 0; i < length; i++) {
        Py_UCS4 c = PyUnicode_READ(kind, data, i);
        if (c >= ' ' && c <= '~' && c != '"' && c != '\\') {
            if (kind == PyUnicode_1BYTE_KIND) continue;
            char plain = (char)c;
            put_bytes(t, &plain, 1);
        } else {
            if (kind == PyUnicode_1BYTE_KIND) put_bytes(t, (const char *)data + from, (size_t)(i - from));
            put_escaped(t, c);
        }
        from = i + 1;
    }
    if (kind == PyUnicode_1BYTE_KIND) put_bytes(t, (const char *)data + from, (size_t)(length - from));
    put_literal(t, "\"");
}

/* Histogram.to_dict */
static void put_histogram(Text *t, const Histogram *h)
{
    int first = 0, last = h->size;
    while (first < last && !h->counts[first]) first++;
    while (last > first && !h->counts[last - 1]) last--;
    put_literal(t, "{\"scale\":3,\"count\":");
    put_number(t, (int64_t)h->count);
    put_literal(t, ",\"sum\":");
    put_number(t, h->sum);
    if (h->count) {
        put_literal(t, ",\"min\":");
        put_number(t, h->min);
        put_literal(t, ",\"max\":");
        put_number(t, h->max);
    }
    put_literal(t, ",\"zero\":");
    put_number(t, (int64_t)h->zero);
    put_literal(t, ",\"offset\":");
    put_number(t, first < last ? h->first + first - 1 : 0);
    put_literal(t, ",\"counts\":[");
    for (int i = first; i < last; i++) {
        if (i > first) put_literal(t, ",");
        put_number(t, h->counts[i]);
    }
    put_literal(t, "]}");
}

/* ---- rows ---- */

static int by_number(const void *one, const void *other)
{
    uint32_t a = ((const Caller *)one)->caller, b = ((const Caller *)other)->caller;
    return (a > b) - (a < b);
}

static int by_name(const void *one, const void *other)
{
    return PyUnicode_Compare(((const ErrorCount *)one)->name, ((const ErrorCount *)other)->name);
}

/* The name of a function (a new reference), of those of the registry. */
static PyObject *name_of(PyObject *functions, uint32_t number)
{
    PyObject *function = PyList_GetItem(functions, (Py_ssize_t)number);
    PyObject *name = function != NULL ? PyObject_GetAttrString(function, "name") : NULL;
    if (name != NULL && PyUnicode_Check(name) && PyUnicode_READY(name) == 0) return name;
    if (!PyErr_Occurred()) PyErr_SetString(PyExc_TypeError, "the name of a function is no string");
    Py_XDECREF(name);
    return NULL;
}

typedef struct {
    PyObject *name;
    Row row;
} NamedRow;

static int last_first(const void *one, const void *other)
{
    return PyUnicode_Compare(((const NamedRow *)other)->name, ((const NamedRow *)one)->name);
}

/* Rows are written from the end of a table. */
static int order_rows(Table *table, PyObject *functions)
{
    if (table->n > MOST_ORDERED) return 0;
    NamedRow *rows = malloc((table->n + 1) * sizeof(NamedRow));
    uint32_t n = 0;
    if (rows == NULL) return PyErr_NoMemory(), -1;
    for (; n < table->n; n++) {
        rows[n] = (NamedRow){name_of(functions, table->rows[n].key >> 1), table->rows[n]};
        if (rows[n].name == NULL) break;
    }
    int failed = n < table->n;
    if (!failed) qsort(rows, n, sizeof(NamedRow), last_first);
    while (n--) {
        Py_DECREF(rows[n].name);
        if (!failed) table->rows[n] = rows[n].row;
    }
    free(rows);
    return failed ? -1 : 0;
}

/* Write the name of a function, which the window mentions then. */
static int put_function(Text *t, Writing *w, PyObject *functions, uint32_t number)
{
    PyObject *name = name_of(functions, number);
    if (name == NULL) return -1;
    put_string(t, name);
    Py_DECREF(name);
    if (number && number < w->n_functions) w->flags[number] |= MENTIONED;
    return 0;
}

/* _Tables._call_row of window.py */
static int put_row(Text *t, Writing *w, PyObject *functions, PyObject *entry, Row *row)
{
    put_literal(t, "{\"function\":");
    if (put_function(t, w, functions, row->key >> 1) < 0) return -1;
    put_literal(t, ",\"entry\":");
    put_string(t, entry);
    put_literal(t, ",\"calls\":");
    put_number(t, (int64_t)row->own.count);
    put_literal(t, ",\"errors\":{");
    if (row->n_errors > 1) qsort(row->errors, row->n_errors, sizeof(ErrorCount), by_name);
    for (uint32_t i = 0; i < row->n_errors; i++) {
        if (i) put_literal(t, ",");
        put_string(t, row->errors[i].name);
        put_literal(t, ":");
        put_number(t, (int64_t)row->errors[i].n);
    }
    put_literal(t, "},\"wall\":");
    put_histogram(t, &row->wall);
    put_literal(t, ",\"own\":");
    put_histogram(t, &row->own);
    put_literal(t, ",\"callers\":{");
    if (row->n_callers > 1) qsort(row->callers, row->n_callers, sizeof(Caller), by_number);
    int some = 0;
    for (uint32_t i = 0; i < row->n_callers; i++) {
        if (!row->callers[i].n) continue;
        if (some++) put_literal(t, ",");
        if (put_function(t, w, functions, row->callers[i].caller) < 0) return -1;
        put_literal(t, ":");
        put_number(t, (int64_t)row->callers[i].n);
    }
    put_literal(t, "}}");
    return t->failed ? (PyErr_NoMemory(), -1) : 0;
}

static void close_writing(Recorder *r)
{
    Writing *w = r->writing;
    if (w == NULL) return;
    r->writing = NULL;
    for (int i = 0; i < w->n_tables; i++) {
        clear_table(&w->tables[i].table);
        Py_DECREF(w->tables[i].name);
    }
    free(w->tables);
    free(w->flags);
    free(w->calls);
    free(w);
}

static size_t writing_bytes(const Writing *w)
{
    if (w == NULL) return 0;
    size_t bytes = sizeof(Writing) + (size_t)w->n_functions * (sizeof(uint8_t) + sizeof(uint64_t));
    for (int i = 0; i < w->n_tables; i++) bytes += sizeof(NamedTable) + table_bytes(&w->tables[i].table);
    return bytes;
}

static PyObject *open_rows(Recorder *r, PyObject *Py_UNUSED(ignored))
{
    close_writing(r);
    Writing *w = calloc(1, sizeof(Writing));
    if (w == NULL) return PyErr_NoMemory();
    r->writing = w;
    w->n_functions = r->n_functions;
    begin_taking(r);
    w->tables = calloc((size_t)r->n_taking + 1, sizeof(NamedTable));
    w->flags = calloc((size_t)w->n_functions + 1, sizeof(uint8_t));
    w->calls = calloc((size_t)w->n_functions + 1, sizeof(uint64_t));
    if (w->tables == NULL || w->flags == NULL || w->calls == NULL) {
        close_writing(r);
        return PyErr_NoMemory();
    }
    PyObject *found = PyList_New(0);
    for (int i = 0; found != NULL && i < r->n_taking; i++) {
        Named *named = &r->taking[i];
        if (!named->table.n) continue;
        w->tables[w->n_tables++] = (NamedTable){.name = Py_NewRef(named->name), .table = named->table};
        memset(&named->table, 0, sizeof(Table));
        found = listed(found, Py_BuildValue("(OI)", named->name, w->tables[w->n_tables - 1].table.n));
    }
    return found;
}

/* The next `limit` rows of a table that one of the steps before the writing has to go through; 0: that step is over. */
static uint32_t next_rows(NamedTable *named, uint32_t limit, uint32_t *from)
{
    uint32_t left = named->table.n - named->passed;
    *from = named->passed;
    if (left > limit) left = limit;
    named->passed = left ? *from + left : 0;
    return left;
}

static NamedTable *named_table(Recorder *r, int place)
{
    if (r->writing != NULL && place >= 0 && place < r->writing->n_tables) return &r->writing->tables[place];
    PyErr_SetString(PyExc_IndexError, "there is no such table");
    return NULL;
}

static uint64_t calls_from_outside(const Row *row)
{
    for (uint32_t i = 0; i < row->n_callers; i++) {
        if (!row->callers[i].caller) return row->callers[i].n;
    }
    return 0;
}

static int is_seen(Recorder *r, const Row *row, uint32_t number, uint64_t entries, int64_t long_ns)
{
    const Function *f = number < r->n_functions ? r->functions[number] : NULL;
    if (f != NULL && (f->every || (f->slow_ns && f->slow_ns != r->first_slow_ns))) return 1;
    if (row->wall.sum >= (int64_t)row->wall.count * SMALL_MEAN_NS || row->wall.max >= long_ns) return 1;
    uint64_t outside = entries ? calls_from_outside(row) : 0;
    return outside && outside <= entries;
}

static PyObject *scan_rows(Recorder *r, PyObject *arguments)
{
    int place;
    unsigned int limit, from;
    unsigned long long entries, calls = 0;
    long long long_ns;
    if (!PyArg_ParseTuple(arguments, "iIKL:scan_rows", &place, &limit, &entries, &long_ns)) return NULL;
    NamedTable *named = named_table(r, place);
    if (named == NULL) return NULL;
    Writing *w = r->writing;
    uint32_t n = next_rows(named, limit, &from);
    if (!n) Py_RETURN_NONE;
    for (uint32_t i = from; i < from + n; i++) {
        const Row *row = &named->table.rows[i];
        uint32_t number = row->key >> 1;
        calls += row->own.count;
        if (number >= w->n_functions) continue;
        if (is_seen(r, row, number, entries, long_ns)) w->flags[number] |= SEEN;
        if (!(row->key & 1)) continue;
        w->flags[number] |= APART;
        for (uint32_t c = 0; c < row->n_callers; c++) {
            if (row->callers[c].caller < w->n_functions) w->flags[row->callers[c].caller] |= APART;
        }
    }
    return PyLong_FromUnsignedLongLong(calls);
}

static PyObject *set_apart(Recorder *r, PyObject *number)
{
    unsigned long value = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred()) return NULL;
    if (r->writing != NULL && value < r->writing->n_functions) r->writing->flags[value] |= APART;
    Py_RETURN_NONE;
}

static PyObject *apart_rows(Recorder *r, PyObject *arguments)
{
    int place, all;
    unsigned int limit, from;
    if (!PyArg_ParseTuple(arguments, "iIp:apart_rows", &place, &limit, &all)) return NULL;
    NamedTable *named = named_table(r, place);
    if (named == NULL) return NULL;
    Writing *w = r->writing;
    uint32_t n = next_rows(named, limit, &from);
    if (!n) Py_RETURN_NONE;
    PyObject *found = PyList_New(0);
    for (uint32_t i = from; found != NULL && i < from + n; i++) {
        Row *row = &named->table.rows[i];
        uint32_t number = row->key >> 1;
        if (all || number >= w->n_functions || w->flags[number] & APART) {
            found = listed(found, row_data(named->name, row));
            free_row(row);
            memset(row, 0, sizeof(Row));  /* the key 0 is nobody's */
        } else {
            w->calls[number] += row->wall.count;
        }
    }
    return found;
}

static PyObject *seen_rows(Recorder *r, PyObject *arguments)
{
    int place;
    unsigned int limit, from;
    if (!PyArg_ParseTuple(arguments, "iI:seen_rows", &place, &limit)) return NULL;
    NamedTable *named = named_table(r, place);
    if (named == NULL) return NULL;
    uint32_t n = next_rows(named, limit, &from);
    if (!n) Py_RETURN_NONE;
    PyObject *found = PyList_New(0);
    for (uint32_t i = from; found != NULL && i < from + n; i++) {
        const Row *row = &named->table.rows[i];
        uint32_t number = row->key >> 1;
        if (!number || !(r->writing->flags[number] & SEEN)) continue;
        PyObject *wall = histogram_data(&row->wall);
        if (wall == NULL) {
            Py_CLEAR(found);
            break;
        }
        found = listed(found, Py_BuildValue("(IKN)", number, (unsigned long long)calls_from_outside(row), wall));
    }
    return found;
}

/* The next window fills its own table while this one is written. */
static void give_room_back(Table *table)
{
    if (!table->n || table->room - table->n < KEPT_ROWS) return;
    Row *rows = realloc(table->rows, table->n * sizeof(Row));
    if (rows == NULL) return;
    table->rows = rows;
    table->room = table->n;
}

static PyObject *write_rows(Recorder *r, PyObject *arguments)
{
    int place;
    unsigned int limit;
    PyObject *functions;
    if (!PyArg_ParseTuple(arguments, "iIO!:write_rows", &place, &limit, &PyList_Type, &functions)) return NULL;
    NamedTable *named = named_table(r, place);
    if (named == NULL) return NULL;
    Table *table = &named->table;
    if (!named->ordered && order_rows(table, functions) < 0) return NULL;
    named->ordered = 1;
    Text t = {0};
    PyObject *text = NULL;
    while (limit && table->n) {
        Row *row = &table->rows[table->n - 1];
        if (row->key) {
            if (t.n) put_literal(&t, ",");
            if (put_row(&t, r->writing, functions, named->name, row) < 0) goto end;
            limit--;
        }
        free_row(row);
        table->n--;
    }
    give_room_back(table);
    if (!table->n) clear_table(table);
    text = PyUnicode_New((Py_ssize_t)t.n, 127);
    if (text != NULL) memcpy(PyUnicode_1BYTE_DATA(text), t.data, t.n);
end:
    free(t.data);
    return text;
}

static PyObject *mentioned(Recorder *r, PyObject *arguments)
{
    unsigned int from, limit;
    if (!PyArg_ParseTuple(arguments, "II:mentioned", &from, &limit)) return NULL;
    Writing *w = r->writing;
    if (w == NULL || from >= w->n_functions) Py_RETURN_NONE;
    PyObject *found = PyList_New(0);
    for (uint32_t i = from; found != NULL && i < w->n_functions && i - from < limit; i++) {
        if (w->flags[i] & MENTIONED) found = listed(found, PyLong_FromUnsignedLong(i));
    }
    return found;
}

static PyObject *calls_of(Recorder *r, PyObject *number)
{
    unsigned long value = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred()) return NULL;
    Writing *w = r->writing;
    return PyLong_FromUnsignedLongLong(w != NULL && value < w->n_functions ? w->calls[value] : 0);
}

static PyObject *drop_rows(Recorder *r, PyObject *number)
{
    unsigned long limit = PyLong_AsUnsignedLong(number);
    if (PyErr_Occurred()) return NULL;
    Writing *w = r->writing;
    for (int i = 0; w != NULL && i < w->n_tables; i++) {
        Table *table = &w->tables[i].table;
        for (; limit && table->n; limit--) free_row(&table->rows[--table->n]);
        if (table->n) Py_RETURN_TRUE;
    }
    close_writing(r);
    Py_RETURN_FALSE;
}

#define ROWS_METHODS \
    NONE("open_rows", open_rows, "Begin to write the calls so far: [(entry, number of rows)]. Tables are named by their" \
         " place in it. What was begun before is dropped."), \
    ONE("set_apart", set_apart, "set_apart(number): the rows of a function are to be apart."), \
    SOME("scan_rows", scan_rows, "scan_rows(table, limit, entries, long_ns): the calls of the next rows; None at the end." \
         " Finds which functions are apart, and which are seen: their calls are long, or one of so many entries."), \
    SOME("apart_rows", apart_rows, "apart_rows(table, limit, all): of the next rows those that are apart; None at the" \
         " end. Rows as of take()."), \
    SOME("seen_rows", seen_rows, "seen_rows(table, limit): of the next rows those of functions that are seen, (number," \
         " calls from outside, wall); None at the end."), \
    SOME("write_rows", write_rows, "write_rows(table, limit, functions): the JSON of rows that are left, which are" \
         " dropped; '' at the end."), \
    SOME("mentioned", mentioned, "mentioned(first, limit): the functions among so many that were written; None at the end."), \
    ONE("calls_of", calls_of, "The calls of a function with a wall time, in rows that are not apart."), \
    ONE("drop_rows", drop_rows, "drop_rows(limit): drop so many of the rows; whether any are left.")

#endif
