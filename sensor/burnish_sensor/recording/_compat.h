/* What differs between CPython 3.9 and 3.13: the running interpreter frame, extras of code objects, small helpers. */
#ifndef BURNISH_COMPAT_H
#define BURNISH_COMPAT_H

#define PY_SSIZE_T_CLEAN
#include <Python.h>

#ifdef Py_GIL_DISABLED
#error "the native core relies on the GIL; free-threaded builds run the pure-Python recorder"
#endif

#include <structmember.h>
#if PY_VERSION_HEX >= 0x030B0000
#define Py_BUILD_CORE 1
#include <internal/pycore_frame.h>
#undef Py_BUILD_CORE
typedef struct _PyInterpreterFrame RealFrame;
#else
#include <frameobject.h>
typedef PyFrameObject RealFrame;
#endif

#if PY_VERSION_HEX < 0x030A0000
static inline PyObject *Py_NewRef(PyObject *object) { Py_INCREF(object); return object; }
static inline PyObject *Py_XNewRef(PyObject *object) { Py_XINCREF(object); return object; }
#endif

/* The innermost running frame of a thread, or NULL. Only its address is kept: it names a running call. */
static inline RealFrame *real_top(PyThreadState *thread)
{
#if PY_VERSION_HEX >= 0x030D0000
    return thread->current_frame;
#elif PY_VERSION_HEX >= 0x030B0000
    return thread->cframe->current_frame;
#else
    return thread->frame;
#endif
}

static inline RealFrame *real_below(RealFrame *frame)
{
#if PY_VERSION_HEX >= 0x030B0000
    return frame->previous;
#else
    return frame->f_back;
#endif
}

/* The code of a frame; NULL for a frame that stands for C code. */
static inline PyObject *real_code(RealFrame *frame)
{
#if PY_VERSION_HEX >= 0x030D0000
    return frame->f_executable != NULL && PyCode_Check(frame->f_executable) ? frame->f_executable : NULL;
#else
    return (PyObject *)frame->f_code;
#endif
}

/* Where in its code a frame is: together they name a line. */
static inline int real_place(RealFrame *frame, PyObject *code)
{
    (void)code;
#if PY_VERSION_HEX >= 0x030B0000
    return _PyInterpreterFrame_LASTI(frame);
#else
    return frame->f_lasti;
#endif
}

/* The line that a frame runs. To find it, CPython reads the table of the code from its beginning. */
static inline int real_line(RealFrame *frame, PyObject *code)
{
#if PY_VERSION_HEX >= 0x030C0000
    (void)code;
    return PyUnstable_InterpreterFrame_GetLine(frame);
#elif PY_VERSION_HEX >= 0x030B0000
    return PyCode_Addr2Line((PyCodeObject *)code, _PyInterpreterFrame_LASTI(frame) * (int)sizeof(_Py_CODEUNIT));
#else
    (void)code;
    return PyFrame_GetLineNumber(frame);
#endif
}

#if PY_VERSION_HEX >= 0x030C0000
#define code_extra_index() PyUnstable_Eval_RequestCodeExtraIndex(NULL)
#define code_get_extra(code, index, extra) PyUnstable_Code_GetExtra((code), (index), (extra))
#define code_set_extra(code, index, extra) PyUnstable_Code_SetExtra((code), (index), (extra))
#else
#define code_extra_index() _PyEval_RequestCodeExtraIndex(NULL)
#define code_get_extra(code, index, extra) _PyCode_GetExtra((code), (index), (extra))
#define code_set_extra(code, index, extra) _PyCode_SetExtra((code), (index), (extra))
#endif

/* The type of the exception being handled (a new reference), or NULL. */
static inline PyObject *handled_type(void)
{
    PyObject *type, *value, *trace;
    PyErr_GetExcInfo(&type, &value, &trace);
    Py_XDECREF(trace);
    if (value == NULL || value == Py_None) {
        Py_XDECREF(value);
        Py_XDECREF(type);
        return NULL;
    }
    Py_XDECREF(type);
    type = Py_NewRef((PyObject *)Py_TYPE(value));
    Py_DECREF(value);
    return type;
}

#endif
