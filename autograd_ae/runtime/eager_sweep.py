"""The reverse sweep in machine code: what `core/sweep.py` does, node by node, for rules that are one product.

Many rules of elementwise functions are one ufunc of g and a factor: the output, an operand, or a function of it whose
loop NumPy has (`Pullback.ufuncs` says which). Such a rule is carried out by NumPy's loops, into other arrays, and only
when all rules of a node have gone well is anything changed. Whatever is not of this kind (another rule, a sum over
broadcast axes, an array that was edited, results that NumPy would warn about) is left to `hand_on` in Python, which
does the whole node, or raises what there is to raise.
"""

from __future__ import annotations

from autograd_ae.core.fingerprint import SMALL as KEPT_WHOLE
from autograd_ae.core.jit import jit
from autograd_ae.core.native import at
from autograd_ae.core.objects import (
    DATA,
    DTYPE,
    HALF,
    INTEGER,
    TYPE,
    Py_DecRef,
    PyBytes_AsString,
    PyBytes_Size,
    PyDict_DelItem,
    PyDict_GetItemWithError,
    PyDict_SetItem,
    PyDict_Size,
    PyErr_Occurred,
    PyList_Append,
    PyList_GetItem,
    PyList_New,
    PyList_Size,
    PyLong_AsLongLong,
    PyObject_Vectorcall,
    PyTuple_GetItem,
    PyTuple_Size,
    axes_of,
    is_writeable,
    keep,
    memcmp,
    memcpy,
    put,
    row1,
    row2,
    row4,
    same_shape,
    size_of,
    word,
)
from autograd_ae.runtime.eager_words import (
    ACCUMULATE,
    BREATHE,
    BYTES,
    FINGERPRINT,
    GONE,
    HAND_ON,
    N_INPUTS,
    N_NUMBER,
    N_PARAMS,
    N_PLAN,
    N_PRINTS,
    N_VALUE,
    NEXT,
    NO_PARAMS,
    NODE,
    NONE,
    NOTHING,
    REACH,
    RULE_FN,
    SMALL,
    T_DATA,
    T_NODE,
    TENSOR,
    WORDS,
    binary_loop,
    nbytes_of,
    new_like,
    unary_loop,
    usable,
)  # fmt: skip

FAILED, DONE, ELSEWHERE = 0, 1, 2
BREATH = 128  # nodes, after which Ctrl-C and other threads have their turn
# Of a plan, as words: how many inputs, which arrays are read, the rules.
INPUTS, READS, READ, RULES, FIRST_RULE = 0, 1, 2, 5, 6
# Of a rule: the input, whether it is the last, what it does and with what, the object and its function, where the
# loops of its ufuncs are.
INPUT, LAST, KIND, OPERAND, RULE, FUNCTION, OUTER, INNER = range(8)
RULE_WORDS = 8
PASSED, ALONE, TIMES, TIMES_FUNCTION = range(4)  # g itself, f(g), f(g, operand), f(g, h(operand))
PLAN_SIZE = FIRST_RULE + 2 * RULE_WORDS


# What goes along with the sweep: the gradient of the node that comes next, where nothing else waits, so that it need
# not be put in the dictionary and taken out again; an array that nobody needs, to be written to instead of a new one.
CARRIED, SPARE = 0, 1


@jit
def sweep(arguments, block):
    """Hand gradients on, from a node back: arguments = (gradients, visited, node). None, or 0 with an exception."""
    b = at(block, WORDS, INTEGER)
    gradients, visited = PyTuple_GetItem(arguments, 0), PyTuple_GetItem(arguments, 1)
    coming, waiting, fine, steps = keep(PyTuple_GetItem(arguments, 2)), PyList_New(0), True, 0
    along = row2(0, 0)
    while coming != 0 and waiting != 0 and fine:
        node, coming = coming, 0
        if PyList_Size(waiting) != 0:
            coming = PyObject_Vectorcall(b[NEXT], row1(waiting), 1, 0)
            fine = coming != 0
        steps += 1
        if steps % BREATH == 0:
            fine = fine and called(b[BREATHE], node, node, 0)
        fine = fine and PyList_Append(visited, node) == 0
        if fine:
            reached = row2(0, 0)
            done = handed_on(b, node, gradients, along, coming == 0, reached)
            fine = done != FAILED
            for k in range(2):
                if word(reached, k) != 0:
                    coming = reach(b, coming, waiting, word(reached, k))
                    Py_DecRef(word(reached, k))
            if done == ELSEWHERE:
                found = PyObject_Vectorcall(b[HAND_ON], row2(node, gradients), 2, 0)
                fine = found != 0
                if fine:
                    for k in range(PyList_Size(found)):
                        coming = reach(b, coming, waiting, PyList_GetItem(found, k))
                    Py_DecRef(found)
        Py_DecRef(node)
        fine = fine and PyErr_Occurred() == 0
    drop(coming)
    drop(waiting)
    drop(word(along, CARRIED))
    drop(word(along, SPARE))
    return keep(b[NONE]) if fine and waiting != 0 else 0


@jit
def drop(thing):
    """Give up a reference, where there is one."""
    if thing != 0:
        Py_DecRef(thing)


@jit
def called(function, a, b, arguments):
    """Whether a call went well; what it gave is dropped."""
    given = PyObject_Vectorcall(function, row2(a, b), arguments, 0)
    if given == 0:
        return False
    Py_DecRef(given)
    return True


@jit
def reach(b, coming, waiting, node):
    """The one of two nodes that comes first, the other having been told to wait. Takes over `coming`, not `node`."""
    if coming == 0:
        return keep(node)
    if word(coming, TYPE) != b[NODE] or word(node, TYPE) != b[NODE]:
        called(b[REACH], waiting, node if word(coming, TYPE) == b[NODE] else coming, 2)  # raises
        return coming
    if PyLong_AsLongLong(word(node, b[N_NUMBER])) > PyLong_AsLongLong(word(coming, b[N_NUMBER])):
        called(b[REACH], waiting, coming, 2)
        Py_DecRef(coming)
        return keep(node)
    called(b[REACH], waiting, node, 2)
    return coming


@jit
def handed_on(b, node, gradients, along, alone, reached):
    """Hand a node's gradient on to its inputs. The nodes that are reached first are put at `reached`.

    `alone` : no other node waits.
    """
    if word(node, TYPE) != b[NODE]:
        return ELSEWHERE
    g, carried = word(along, CARRIED), word(along, CARRIED) != 0
    if carried:
        put(along, CARRIED, 0)
    else:
        g = PyDict_GetItemWithError(gradients, node)
        if g == 0:
            return ELSEWHERE
        keep(g)
    done = tried(b, node, g, gradients, along, alone, carried, reached)
    if done == ELSEWHERE and carried and PyDict_SetItem(gradients, node, g) != 0:
        done = FAILED
    if done == DONE and at(g, 1, HALF)[0] == 1 and word(along, SPARE) == 0:  # the only reference is this one
        put(along, SPARE, g)
    else:
        Py_DecRef(g)
    return done


@jit
def tried(b, node, g, gradients, along, alone, carried, reached):
    """The same with the gradient at hand; where it cannot be done here nothing has changed."""
    given, value, planned = word(node, b[N_INPUTS]), word(node, b[N_VALUE]), word(node, b[N_PLAN])
    if given == 0 or planned == 0 or word(node, b[N_PRINTS]) == 0 or word(given, TYPE) != word(b[NOTHING], TYPE):
        return ELSEWHERE
    described = PyTuple_GetItem(planned, 2)
    if described == 0:
        return FAILED
    if word(described, TYPE) != b[BYTES] or word(node, b[N_PARAMS]) != b[NO_PARAMS] or not usable(b, value):
        return ELSEWHERE
    words = PyBytes_AsString(described)
    plan = at(words, FIRST_RULE, INTEGER)
    if PyTuple_Size(given) != plan[INPUTS] or size_of(value) * 8 > SMALL:
        return ELSEWHERE
    first, second = PyTuple_GetItem(given, 0), PyTuple_GetItem(given, plan[INPUTS] - 1)
    if not usable(b, g) or word(g, DTYPE) != word(value, DTYPE) or not same_shape(g, value):
        return ELSEWHERE
    if not fits(b, first, value) or not fits(b, second, value):
        return ELSEWHERE
    # Other code may run below, so what is looked at is kept.
    keep(value)
    keep(given)
    x, y = keep(word(first, b[T_DATA])), keep(word(second, b[T_DATA]))
    prints = keep(word(node, b[N_PRINTS]))
    done, outs = ELSEWHERE, row2(0, 0)
    if is_unedited(b, prints, plan, value, x, y):
        fine, places = True, row4(g, value, x, y)
        for i in range(plan[RULES]):
            rule = at(words + 8 * (FIRST_RULE + i * RULE_WORDS), RULE_WORDS, INTEGER)
            if fine and same_shape(y if rule[INPUT] == 1 else x, value):
                put(outs, i, pulled_back(b, rule, places, along))
            fine = fine and word(outs, i) != 0
        if fine and (carried or PyDict_DelItem(gradients, node) == 0):
            done = commit(b, gradients, along, alone, plan, words, first, second, outs, reached)
    if PyErr_Occurred() != 0:
        done = FAILED
    drop(word(outs, 0))
    drop(word(outs, 1))
    Py_DecRef(value)
    Py_DecRef(given)
    Py_DecRef(x)
    Py_DecRef(y)
    Py_DecRef(prints)
    return done


@jit
def fits(b, tensor, value):
    """Whether an input is a tensor of the output's dtype and shape, or of no axes."""
    if word(tensor, TYPE) != b[TENSOR]:
        return False
    made = word(tensor, b[T_NODE])
    if made == 0 or (made != b[NONE] and word(made, TYPE) != b[NODE]):
        return False
    array = word(tensor, b[T_DATA])
    if not usable(b, array) or word(array, DTYPE) != word(value, DTYPE):
        return False
    return axes_of(array) == 0 or same_shape(array, value)


@jit
def is_unedited(b, prints, plan, value, x, y):
    """Whether the arrays that the rules read are what they were; where False came from an exception it is set."""
    if prints == b[NONE]:
        return True
    if PyList_Size(prints) != plan[READS]:
        return False
    for k in range(plan[READS]):
        which, kept = plan[READ + k], PyList_GetItem(prints, k)
        array = value if which < 0 else y if which == 1 else x
        nbytes = nbytes_of(b, array)
        if word(kept, TYPE) != b[BYTES]:
            return False
        if nbytes <= KEPT_WHOLE:
            if PyBytes_Size(kept) != nbytes or memcmp(PyBytes_AsString(kept), word(array, DATA), nbytes) != 0:
                return False
        else:
            taken = PyObject_Vectorcall(b[FINGERPRINT], row1(array), 1, 0)
            if taken == 0:
                return False
            length = PyBytes_Size(taken) if word(taken, TYPE) == b[BYTES] else -1
            same = length == PyBytes_Size(kept) and memcmp(PyBytes_AsString(kept), PyBytes_AsString(taken), length) == 0
            Py_DecRef(taken)
            if not same:
                return False
    return True


@jit
def pulled_back(b, rule, places, along):
    """What a rule gives, a new reference; 0: let Python do it (or an exception)."""
    arrays = at(places, 4, INTEGER)  # g, y, x₁, x₂
    g, operand = arrays[0], arrays[2 + rule[OPERAND]]
    if word(rule[RULE], b[RULE_FN]) != rule[FUNCTION]:  # somebody put another function in its place
        return 0
    if rule[KIND] == PASSED and rule[LAST] == 1:
        return keep(g)
    fine, out = True, spare_or_new(b, g, along)
    if out == 0:
        return 0
    if rule[KIND] == PASSED:
        memcpy(word(out, DATA), word(g, DATA), nbytes_of(b, g))
    elif rule[KIND] == ALONE:
        fine = unary_loop(b, rule[OUTER], g, out)
    else:
        if rule[KIND] == TIMES_FUNCTION:
            fine = axes_of(operand) == axes_of(out) and unary_loop(b, rule[INNER], operand, out)
            operand = out
        fine = fine and binary_loop(b, rule[OUTER], g, operand, out)
    if not fine:
        Py_DecRef(out)
        out = 0
    return out


@jit
def spare_or_new(b, like, along):
    """An array to write to, of a shape and dtype; 0 with an exception."""
    spare = word(along, SPARE)
    if spare != 0:
        put(along, SPARE, 0)
        if word(spare, DTYPE) == word(like, DTYPE) and same_shape(spare, like) and is_writeable(spare):
            return spare
        Py_DecRef(spare)
    return new_like(b, like)


@jit
def commit(b, gradients, along, alone, plan, words, first, second, outs, reached):
    """Put the gradients of the inputs in their place. FAILED with an exception."""
    for i in range(plan[RULES]):
        which, out = word(words, FIRST_RULE + i * RULE_WORDS + INPUT), word(outs, i)
        tensor = second if which == 1 else first
        made = word(tensor, b[T_NODE])
        if made != b[NONE] and alone and plan[RULES] == 1 and PyDict_Size(gradients) == 0:
            put(along, CARRIED, keep(out))
            put(reached, i, keep(made))
            return DONE
        origin = tensor if made == b[NONE] else made
        before = PyDict_GetItemWithError(gradients, origin)
        if before != 0:
            if not called(b[ACCUMULATE], before, out, 2):
                return FAILED
        else:
            if PyErr_Occurred() != 0 or PyDict_SetItem(gradients, origin, out) != 0:
                return FAILED
            if made != b[NONE]:
                put(reached, i, keep(made))
    return DONE


@jit
def release(visited, block):
    """Let go of what the nodes of a list keep, as `Node.free` does."""
    b = at(block, WORDS, INTEGER)
    for k in range(PyList_Size(visited)):
        node = PyList_GetItem(visited, k)
        given, value, prints = word(node, b[N_INPUTS]), word(node, b[N_VALUE]), word(node, b[N_PRINTS])
        put(node, b[N_INPUTS], keep(b[NOTHING]))
        put(node, b[N_VALUE], keep(b[GONE]))
        put(node, b[N_PRINTS], keep(b[NONE]))
        Py_DecRef(given)
        Py_DecRef(value)
        Py_DecRef(prints)
    return keep(b[NONE])
