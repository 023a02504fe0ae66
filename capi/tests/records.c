/* Files of records: written, read in order, by position and by key; headers; wrong use. */
#include "check.h"

/* Whether the next record of a reader is this text. */
static int reads(mxr_record_reader_t *reader, const char *text) {
    uint8_t *record = NULL;
    uint64_t len = 0;
    OK(mxr_record_reader_read(reader, &record, &len));
    const int same = record && len == strlen(text) && memcmp(record, text, len) == 0;
    mxr_bytes_free(record, len);
    return same;
}

static int ends(mxr_record_reader_t *reader) {
    uint8_t *record = (uint8_t *)"";
    uint64_t len = 1;
    OK(mxr_record_reader_read(reader, &record, &len));
    return !record && len == 0;
}

static int records_are_found_in_order_by_position_and_by_key(void) {
    mxr_record_writer_t *writer = NULL;
    mxr_record_reader_t *reader = NULL;
    mxr_texts_t *keys = NULL;
    uint64_t at = 0, positions[3] = {0};
    int64_t n = 0;
    OK(mxr_record_writer_create("records.rec", "records.idx", &writer));
    OK(mxr_record_writer_write(writer, "b", (const uint8_t *)"first", 5));
    OK(mxr_record_writer_write(writer, "a", NULL, 0));
    OK(mxr_record_writer_position(writer, &at));
    CHECK(at == 24);
    OK(mxr_record_writer_write(writer, NULL, (const uint8_t *)"last", 4));
    OK(mxr_record_writer_flush(writer));
    OK(mxr_record_reader_open("records.rec", "records.idx", &reader));
    CHECK(reads(reader, "first") && reads(reader, "") && reads(reader, "last") && ends(reader) && ends(reader));
    OK(mxr_record_reader_find(reader, "a", &at));
    CHECK(at == 16);
    OK(mxr_record_reader_seek(reader, at));
    CHECK(reads(reader, "") && reads(reader, "last"));
    OK(mxr_record_reader_keys(reader, &keys));
    CHECK(mxr_texts_len(keys) == 2 && strcmp(mxr_texts_get(keys, 0), "b") == 0);
    OK(mxr_record_reader_positions(reader, positions, 1, &n));
    CHECK(n == 2);
    OK(mxr_record_reader_positions(reader, positions, 3, &n));
    CHECK(n == 2 && positions[0] == 0 && positions[1] == 16);
    FAILS(mxr_record_reader_find(reader, "c", &at), MXR_ERROR_NOT_FOUND, NULL, "key", "no key 'c'");
    OK(mxr_record_reader_seek(reader, 4));
    uint8_t *record;
    uint64_t len;
    FAILS(mxr_record_reader_read(reader, &record, &len), MXR_ERROR_FORMAT, NULL, NULL, "record at byte 4");
    mxr_texts_free(keys);
    mxr_record_reader_free(reader);
    mxr_record_writer_free(writer);
    return 1;
}

static int headers_hold_a_number_or_a_list(void) {
    const float given[2] = {1.5f, -2};
    uint8_t *record = NULL;
    uint64_t len = 0, id = 0, id2 = 0, begin = 0;
    double label = 0;
    float labels[2] = {0};
    int64_t n = 0;
    OK(mxr_record_pack(0.5, NULL, -1, 7, 1, (const uint8_t *)"x", 1, &record, &len));
    OK(mxr_record_unpack(record, len, &label, NULL, 0, &n, &id, &id2, &begin));
    CHECK(label == 0.5 && n == -1 && id == 7 && id2 == 1 && begin == 24 && len == 25 && record[24] == 'x');
    mxr_bytes_free(record, len);
    OK(mxr_record_pack(0, given, 2, 3, 0, NULL, 0, &record, &len));
    OK(mxr_record_unpack(record, len, &label, labels, 2, &n, &id, &id2, &begin));
    CHECK(n == 2 && labels[0] == 1.5f && labels[1] == -2 && id == 3 && begin == len);
    FAILS(mxr_record_unpack(record, 30, &label, labels, 2, &n, &id, &id2, &begin), MXR_ERROR_FORMAT, NULL, "record",
          "at least 32 bytes, got 30");
    mxr_bytes_free(record, len);
    return 1;
}

static int what_cannot_be_opened_or_written_is_refused(void) {
    mxr_record_writer_t *writer = NULL;
    mxr_record_reader_t *reader = NULL;
    FAILS(mxr_record_reader_open("no-such.rec", NULL, &reader), MXR_ERROR_NOT_FOUND, NULL, NULL, "no-such.rec");
    CHECK(!reader);
    FAILS(mxr_record_writer_create("no-such/x.rec", NULL, &writer), MXR_ERROR_NOT_FOUND, NULL, NULL, "x.rec");
    OK(mxr_record_writer_create("records.rec", NULL, &writer));
    FAILS(mxr_record_writer_write(writer, "a", NULL, 0), MXR_ERROR_INVALID_VALUE, NULL, "key", "no index");
    FAILS(mxr_record_writer_write(writer, NULL, (const uint8_t *)"", 1u << 29), MXR_ERROR_INVALID_VALUE, NULL, "record",
          "less than 536870912 bytes");
    mxr_record_writer_t *again = mxr_record_writer_retain(writer);
    mxr_record_writer_free(writer);
    OK(mxr_record_writer_flush(again));
    mxr_record_writer_free(again);
    return 1;
}

int main(void) {
    RUN(records_are_found_in_order_by_position_and_by_key);
    RUN(headers_hold_a_number_or_a_list);
    RUN(what_cannot_be_opened_or_written_is_refused);
    return check_summary();
}
