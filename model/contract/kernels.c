/* Kernels: the innermost loops of a request. What they compute is said in Python, beside the only caller of each, which
   also does without them: `find` in hash_tables.py, `add` in sums.py, `rows` in service/http/answers.py.

   Buffers are contiguous, and of the types that those callers have; sizes are checked here, so that no bundle
   or request can lead them astray. Python's limited API: one build serves every version since 3.11. */

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "words of texts are read as little-endian: numpy does without this module"
#endif

enum { WORD = 8, MOST_WORDS = 8, AT_ONCE = 128, ODD = -2 };

typedef struct {
    int64_t first_word, width, first_slot, last_slot;
} Table;

typedef struct {
    uint64_t words[MOST_WORDS];
    int64_t num_words, slot;
    const Table *table;
} Wanted;

typedef struct {
    const uint64_t *words;
    const int32_t *index;
    int64_t num_words, num_slots, absent;
} Tables;

static int has_zero_byte(uint64_t word)
{
    return ((word - 0x0101010101010101u) & ~word & 0x8080808080808080u) != 0;
}

/* The text's words, padded with zeros; whether they are its token: whether it is short enough and has no byte of 0, nor
   begins with one of 1. */
static int is_token(const uint8_t *text, int64_t length, const uint8_t *end, Wanted *wanted)
{
    if (length > WORD * MOST_WORDS || (length > 0 && text[0] == 1))
        return 0;
    wanted->num_words = (length + WORD - 1) / WORD;
    for (int64_t at = 0; at < wanted->num_words; at++) {
        const uint8_t *from = text + WORD * at;
        int64_t left = length - WORD * at;
        uint64_t word = 0, behind = left < WORD ? ~(uint64_t)0 << 8 * left : 0;
        memcpy(&word, from, end - from < WORD ? end - from : WORD);
        if (has_zero_byte(word | behind))
            return 0;
        wanted->words[at] = word & ~behind;
    }
    return 1;
}

static uint64_t hash_of(const Wanted *wanted, const uint64_t *factors, uint64_t second)
{
    uint64_t mixed = 0;
    for (int64_t at = 0; at < wanted->num_words; at++)
        mixed += wanted->words[at] * factors[at];
    mixed = (mixed ^ mixed >> 32) * second;
    return mixed ^ mixed >> 29;
}

/* Where it stands in its table, or what stands for its absence; ODD where the table points outside of its words. */
static int64_t place_of(const Wanted *wanted, const Tables *tables)
{
    const Table *table = wanted->table;
    int64_t slot = wanted->slot;
    if (wanted->num_words > table->width || !wanted->num_words)
        return tables->absent;
    for (int64_t looked = 0; looked <= table->last_slot; looked++, slot = (slot + 1) & table->last_slot) {
        int64_t place = tables->index[table->first_slot + slot];
        if (place < 0)
            return tables->absent;
        int64_t first = table->first_word + place * table->width;
        if (first + table->width > tables->num_words)
            return ODD;
        const uint64_t *words = tables->words + first;
        int64_t at = 0;
        while (at < table->width && words[at] == (at < wanted->num_words ? wanted->words[at] : 0))
            at++;
        if (at == table->width)
            return place;
    }
    return tables->absent;
}

static const int32_t *slot_of(const Wanted *wanted, const Tables *tables)
{
    return tables->index + wanted->table->first_slot + wanted->slot;
}

/* Many at once, and each step for all of them before the next: while one waits for memory, others are asked for, the
   more of them at a time the less there is to do for each. What an empty slot points at is asked for and never read.
   How many are odd. */
static int64_t find_some(const Wanted *wanted, const int *is_plain, int64_t count, const Tables *tables, int64_t *found)
{
    const uint64_t *words[AT_ONCE];
    int64_t num_odd = 0;
    for (int64_t at = 0; at < count; at++)
        __builtin_prefetch(slot_of(&wanted[at], tables));
    for (int64_t at = 0; at < count; at++) {
        const Table *table = wanted[at].table;
        words[at] = tables->words + table->first_word + *slot_of(&wanted[at], tables) * table->width;
    }
    for (int64_t at = 0; at < count; at++)
        __builtin_prefetch(words[at]);
    for (int64_t at = 0; at < count; at++)
        num_odd += (found[at] = is_plain[at] ? place_of(&wanted[at], tables) : ODD) == ODD;
    return num_odd;
}

/* How many are odd; -1 where something does not fit. */
static int64_t find_all(const Py_buffer *utf8, const Py_buffer *lengths, const Py_buffer *of_table, const Py_buffer *shapes,
                    const Tables *tables, const uint64_t *factors, uint64_t second, int64_t *found)
{
    const uint8_t *text = utf8->buf, *end = text + utf8->len;
    const int64_t *length = lengths->buf, *number = of_table->buf;
    int64_t num_texts = lengths->len / sizeof *length, num_tables = shapes->len / sizeof(Table);
    int for_all = of_table->len == sizeof *number;
    int64_t num_odd = 0;
    Wanted wanted[AT_ONCE];
    int is_plain[AT_ONCE];
    for (int64_t first = 0; first < num_texts; first += AT_ONCE) {
        int64_t count = num_texts - first < AT_ONCE ? num_texts - first : AT_ONCE;
        for (int64_t at = 0; at < count; at++) {
            int64_t size = length[first + at], which = number[for_all ? 0 : first + at];
            if (size < 0 || size > end - text || which < 0 || which >= num_tables)
                return -1;
            const Table *table = wanted[at].table = (const Table *)shapes->buf + which;
            is_plain[at] = is_token(text, size, end, &wanted[at]);
            wanted[at].slot = is_plain[at] ? (int64_t)hash_of(&wanted[at], factors, second) & table->last_slot : 0;
            text += size;
        }
        num_odd += find_some(wanted, is_plain, count, tables, found + first);
    }
    return num_odd;
}

static int are_whole(const Py_buffer *shapes, const Tables *tables)
{
    const Table *table = shapes->buf;
    for (Py_ssize_t left = shapes->len / sizeof *table; left > 0; left--, table++) {
        int64_t num_slots = table->last_slot + 1;
        if (table->first_word < 0 || table->width < 0 || table->width > MOST_WORDS || table->first_slot < 0 ||
            num_slots < 1 || (num_slots & table->last_slot) || table->first_slot + num_slots > tables->num_slots)
            return 0;
    }
    return 1;
}

static PyObject *find(PyObject *module, PyObject *arguments)
{
    Py_buffer utf8, lengths, of_table, shapes, words, index, factors, found;
    unsigned long long second;
    long long absent;
    if (!PyArg_ParseTuple(arguments, "y*y*y*y*y*y*y*KLw*", &utf8, &lengths, &of_table, &shapes, &words, &index,
                          &factors, &second, &absent, &found))
        return NULL;
    Tables tables = {words.buf, index.buf, words.len / WORD, index.len / (int64_t)sizeof(int32_t), absent};
    Py_ssize_t one = sizeof(int64_t);
    int fits = found.len == lengths.len && (of_table.len == one || of_table.len == lengths.len) &&
               factors.len == MOST_WORDS * WORD && are_whole(&shapes, &tables);
    int64_t num_odd =
        fits ? find_all(&utf8, &lengths, &of_table, &shapes, &tables, factors.buf, second, found.buf) : -1;
    Py_buffer *all[] = {&utf8, &lengths, &of_table, &shapes, &words, &index, &factors, &found};
    for (size_t at = 0; at < sizeof all / sizeof *all; at++)
        PyBuffer_Release(all[at]);
    if (num_odd < 0)
        return PyErr_Format(PyExc_ValueError, "find: expected texts, tables and room for what is found that fit each other");
    return PyLong_FromLongLong(num_odd);
}

/* Vectorised for each of these processors, chosen when the module is loaded. */
#if defined(__x86_64__) && defined(__linux__) && defined(__GNUC__) && !defined(__clang__)
#define FOR_EVERY_PROCESSOR __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define FOR_EVERY_PROCESSOR
#endif

enum { CACHE_LINE = 64, NOWHERE = -1 };

typedef struct {
    int64_t pieces, width, is_rectified;
} Part;

typedef struct {
    const float *half;
    const void *values;
    const int32_t *places; /* NOWHERE: left out */
    const Part *parts;
    void *out;
    int64_t num_rows, num_parts, dim;
} Sum;

static inline float of_float(float value) { return value; }

static inline float of_bfloat(uint16_t upper)
{
    uint32_t bits = (uint32_t)upper << 16;
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static inline uint16_t to_bfloat(float value)
{
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return (uint16_t)((bits + 0x8000u) >> 16);
}

/* Of every candidate, part by part and piece by piece; meanwhile the next candidate's half is fetched. */
#define DEFINE_ADD(NAME, IN, READ, OUT, WRITE)                                                                         \
    FOR_EVERY_PROCESSOR static void NAME(const Sum *sum)                                                               \
    {                                                                                                                  \
        for (int64_t row = 0; row < sum->num_rows; row++) {                                                            \
            int64_t place = sum->places[row], after = sum->places[row + 1 < sum->num_rows ? row + 1 : row];            \
            if (place == NOWHERE)                                                                                      \
                continue;                                                                                              \
            const IN *restrict value = (const IN *)sum->values + place * sum->dim;                                     \
            const IN *next = after == NOWHERE ? value : (const IN *)sum->values + after * sum->dim;                    \
            const float *restrict half = sum->half;                                                                    \
            OUT *part_out = sum->out;                                                                                  \
            for (int64_t number = 0; number < sum->num_parts; number++) {                                              \
                int64_t width = sum->parts[number].width;                                                              \
                float least = sum->parts[number].is_rectified ? 0 : -INFINITY;                                         \
                for (int64_t piece = 0; piece < sum->parts[number].pieces; piece++) {                                  \
                    OUT *restrict out = part_out + (piece * sum->num_rows + row) * width;                              \
                    for (int64_t byte = 0; byte < width * (int64_t)sizeof(IN); byte += CACHE_LINE)                     \
                        __builtin_prefetch((const char *)next + byte);                                                 \
                    for (int64_t column = 0; column < width; column++) {                                               \
                        float both = READ(value[column]) + half[column];                                               \
                        out[column] = WRITE(both < least ? least : both);                                              \
                    }                                                                                                  \
                    value += width, next += width, half += width;                                                      \
                }                                                                                                      \
                part_out += sum->parts[number].pieces * width * sum->num_rows;                                         \
            }                                                                                                          \
        }                                                                                                              \
    }

DEFINE_ADD(add_floats, float, of_float, float, of_float)
DEFINE_ADD(add_floats_to_bfloats, float, of_float, uint16_t, to_bfloat)
DEFINE_ADD(add_bfloats, uint16_t, of_bfloat, uint16_t, to_bfloat)
DEFINE_ADD(add_bfloats_to_floats, uint16_t, of_bfloat, float, of_float)

static int are_places(const int32_t *places, int64_t count, int64_t num_values)
{
    for (int64_t at = 0; at < count; at++)
        if (places[at] != NOWHERE && (places[at] < 0 || places[at] >= num_values))
            return 0;
    return 1;
}

static int columns_are(const Part *parts, int64_t num_parts, int64_t dim)
{
    int64_t left = dim;
    for (int64_t at = 0; at < num_parts; at++) {
        if (parts[at].width < 1 || parts[at].pieces < 1 || parts[at].pieces > left / parts[at].width)
            return 0;
        left -= parts[at].pieces * parts[at].width;
    }
    return left == 0;
}

static PyObject *add(PyObject *module, PyObject *arguments)
{
    Py_buffer half, values, places, parts, out;
    Py_ssize_t item;
    if (!PyArg_ParseTuple(arguments, "y*y*ny*y*w*", &half, &values, &item, &places, &parts, &out))
        return NULL;
    Py_ssize_t dim = half.len / sizeof(float), num_rows = places.len / sizeof(int32_t);
    Sum sum = {half.buf, values.buf, places.buf, parts.buf, out.buf, num_rows, parts.len / sizeof(Part), dim};
    Py_ssize_t out_item = dim > 0 && num_rows > 0 ? out.len / (dim * num_rows) : 0;
    int fits = (item == 2 || item == 4) && (out_item == 2 || out_item == 4) && out.len == out_item * dim * num_rows &&
               columns_are(sum.parts, sum.num_parts, dim) &&
               are_places(sum.places, num_rows, values.len / (item * dim));
    if (fits) {
        Py_BEGIN_ALLOW_THREADS
        if (item == 4)
            (out_item == 4 ? add_floats : add_floats_to_bfloats)(&sum);
        else
            (out_item == 4 ? add_bfloats_to_floats : add_bfloats)(&sum);
        Py_END_ALLOW_THREADS
    }
    Py_buffer *all[] = {&half, &values, &places, &parts, &out};
    for (size_t at = 0; at < sizeof all / sizeof *all; at++)
        PyBuffer_Release(all[at]);
    if (!fits)
        return PyErr_Format(PyExc_ValueError, "add: expected halves, places and room for sums that fit each other");
    Py_RETURN_NONE;
}

typedef struct {
    const char *at, *end;
} Values;

/* The next value of a JSON array of strings and numbers, written to `out`; NULL where there is none. */
static char *take_value(Values *values, char *out)
{
    const char *at = values->at, *end = values->end;
    if (at < end && *at == '"') {
        for (at++; at < end && *at != '"'; at++)
            at += *at == '\\';
        at++;
    } else {
        while (at < end && *at != ',' && *at != ']')
            at++;
    }
    if (at >= end || at == values->at || (*at != ',' && *at != ']'))
        return NULL;
    memcpy(out, values->at, at - values->at);
    out += at - values->at;
    values->at = at + 1;
    return out;
}

static char *write_rows(PyObject *between, Values *values, const uint8_t *of_column, Py_ssize_t num_columns,
                        Py_ssize_t num_rows, char *out)
{
    for (Py_ssize_t row = 0; row < num_rows; row++)
        for (Py_ssize_t column = 0; column <= num_columns; column++) {
            PyObject *text = PyTuple_GetItem(between, column);
            memcpy(out, PyBytes_AsString(text), PyBytes_Size(text));
            out += PyBytes_Size(text);
            if (column < num_columns && !(out = take_value(&values[of_column[column]], out)))
                return NULL;
        }
    return out;
}

enum { MOST_SOURCES = 8 };

static PyObject *rows(PyObject *module, PyObject *arguments)
{
    PyObject *between, *sources, *made = NULL;
    const char *of_column;
    Py_ssize_t num_columns, num_rows, num_sources, size = 0;
    Values values[MOST_SOURCES];
    if (!PyArg_ParseTuple(arguments, "O!O!y#n", &PyTuple_Type, &between, &PyTuple_Type, &sources, &of_column,
                          &num_columns, &num_rows))
        return NULL;
    num_sources = PyTuple_Size(sources);
    int fits = num_sources <= MOST_SOURCES && PyTuple_Size(between) == num_columns + 1 && num_rows >= 0;
    for (Py_ssize_t at = 0; fits && at < num_sources; at++) {
        char *text;
        Py_ssize_t length;
        if (PyBytes_AsStringAndSize(PyTuple_GetItem(sources, at), &text, &length))
            return NULL;
        fits = length >= 2 && text[0] == '[';
        values[at] = (Values){text + 1, text + length};
        size += length;
    }
    for (Py_ssize_t at = 0; fits && at <= num_columns; at++) {
        Py_ssize_t length = PyBytes_Size(PyTuple_GetItem(between, at));
        if (length < 0)
            return NULL;
        fits = length <= 1 << 16 && num_rows <= 1 << 24 && (at == num_columns || (uint8_t)of_column[at] < num_sources);
        size += length * num_rows;
    }
    char *out = fits ? PyMem_Malloc(size + 1) : NULL;
    if (fits && !out)
        return PyErr_NoMemory();
    char *end = fits ? write_rows(between, values, (const uint8_t *)of_column, num_columns, num_rows, out) : NULL;
    if (end)
        made = PyBytes_FromStringAndSize(out, end - out);
    else
        PyErr_Format(PyExc_ValueError, "rows: expected a value of each column for every row");
    PyMem_Free(out);
    return made;
}

static PyMethodDef methods[] = {
    {"rows", rows, METH_VARARGS, NULL},
    {"add", add, METH_VARARGS, NULL},
    {"find", find, METH_VARARGS, NULL},
    {NULL, NULL, 0, NULL},
};

static struct PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT, .m_name = "_kernels", .m_size = 0, .m_methods = methods};

PyMODINIT_FUNC PyInit__kernels(void)
{
    return PyModuleDef_Init(&definition);
}
