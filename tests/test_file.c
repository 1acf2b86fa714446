/* SPDX-License-Identifier: MIT */
/* Files that are no files, disks that are full, and what killed writers left behind. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/directory.h"
#include "base/file.h"
#include "base/words.h"

struct place {
    char folder[64], file[80], left[96]; /* left: the name under which the file is written */
};

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);

    strcpy(place->folder, "/tmp/zf-file-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->file, sizeof place->file, "%s/result", place->folder);
    snprintf(place->left, sizeof place->left, "%s.tmp-0", place->file);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;

    unlink(place->file);
    unlink(place->left);
    assert_int_equal(rmdir(place->folder), 0);
    free(place);
    return 0;
}

static void write_plainly(const char *path, const char *text)
{
    FILE *file = fopen(path, "wb");

    assert_non_null(file);
    fputs(text, file);
    fclose(file);
}

static void expect_text(const char *path, const char *expected)
{
    char text[64] = "";
    FILE *file = fopen(path, "rb");

    assert_non_null(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    assert_string_equal(text, expected);
}

static int files_in(const char *folder)
{
    struct zf_names names = {0};
    int count;

    assert_int_equal(zf_directory_list(folder, &names, NULL), ZF_OK);
    count = (int)names.count;
    zf_names_release(&names);
    return count;
}

/* An alarm ends the test where opening waits. */
static void what_would_have_to_be_waited_for_is_refused(void **state)
{
    const struct place *place = *state;
    const char *const paths[] = {place->file, place->folder, "/dev/zero"};
    struct zf_bytes bytes = {0};
    struct zf_error err = {0};
    FILE *file = NULL;

    assert_int_equal(mkfifo(place->file, 0600), 0);
    alarm(20);
    for (size_t i = 0; i < ZF_COUNT(paths); i++) {
        assert_int_equal(zf_bytes_map(&bytes, paths[i], 1000, &err), ZF_EINPUT);
        assert_non_null(strstr(err.message, "not a regular file"));
        assert_int_equal(zf_file_open(&file, paths[i], &err), ZF_EINPUT);
        assert_null(file);
    }
    alarm(0);
}

static void what_a_killed_writer_left_is_written_over(void **state)
{
    const struct place *place = *state;

    write_plainly(place->left, "half a result, and longer than the whole one");
    assert_int_equal(zf_file_write(place->file, "whole", 5, NULL), ZF_OK);
    expect_text(place->file, "whole");
    assert_int_equal(files_in(place->folder), 1);
}

static void what_another_writer_has_under_way_is_left_to_it(void **state)
{
    const struct place *place = *state;
    const int fd = open(place->left, O_WRONLY | O_CREAT, 0600);

    assert_int_equal(write(fd, "theirs", 6), 6);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(zf_file_write(place->file, "ours", 4, NULL), ZF_OK);
    close(fd);
    expect_text(place->left, "theirs");
    expect_text(place->file, "ours");
    assert_int_equal(files_in(place->folder), 2);
}

static void two_outputs_of_one_name_do_not_mix(void **state)
{
    const struct place *place = *state;
    struct zf_output first = {0}, second = {0};

    assert_int_equal(zf_output_open(&first, place->file, NULL), ZF_OK);
    assert_int_equal(zf_output_open(&second, place->file, NULL), ZF_OK);
    fputs("first", first.stream);
    fputs("second", second.stream);
    assert_int_equal(zf_output_commit(&second, NULL), ZF_OK);
    expect_text(place->file, "second");
    assert_int_equal(zf_output_commit(&first, NULL), ZF_OK);
    expect_text(place->file, "first");
    assert_int_equal(files_in(place->folder), 1);
}

static void a_link_in_the_place_of_the_temporary_is_not_followed(void **state)
{
    const struct place *place = *state;
    char target[96];

    snprintf(target, sizeof target, "%s/precious", place->folder);
    write_plainly(target, "precious");
    assert_int_equal(symlink(target, place->left), 0);
    assert_int_equal(zf_file_write(place->file, "ours", 4, NULL), ZF_OK);
    expect_text(target, "precious");
    expect_text(place->file, "ours");
    assert_int_equal(unlink(target), 0);
}

static void an_output_can_go_back_to_its_head(void **state)
{
    const struct place *place = *state;
    struct zf_output output = {0};

    assert_int_equal(zf_output_open(&output, place->file, NULL), ZF_OK);
    fputs("body-tail", output.stream);
    assert_int_equal(fseek(output.stream, 0, SEEK_SET), 0);
    fputs("head", output.stream);
    assert_int_equal(zf_output_commit(&output, NULL), ZF_OK);
    expect_text(place->file, "head-tail");
}

/* A limit on the size of files stands in for a full disk. The stream is flushed by itself long
   before the end, where the reason would be lost. */
static void the_first_failure_of_a_long_output_is_the_one_that_is_told(void **state)
{
    const struct place *place = *state;
    int result = -1;
    pid_t child;

    write_plainly(place->file, "old");
    child = fork();
    if (child == 0) {
        const struct rlimit limit = {40000, 40000};
        struct zf_error err = {0};
        struct zf_output output = {0};

        signal(SIGXFSZ, SIG_IGN);
        setrlimit(RLIMIT_FSIZE, &limit);
        if (zf_output_open(&output, place->file, &err) != ZF_OK)
            _exit(1);
        for (int i = 0; i < 100000; i++)
            fputc('x', output.stream);
        errno = 0;
        if (zf_output_commit(&output, &err) != ZF_EIO)
            _exit(2);
        _exit(strstr(err.message, strerror(EFBIG)) && strstr(err.message, place->file) ? 0 : 3);
    }
    assert_int_equal(waitpid(child, &result, 0), child);
    assert_true(WIFEXITED(result));
    assert_int_equal(WEXITSTATUS(result), 0);
    expect_text(place->file, "old");
    assert_int_equal(files_in(place->folder), 1);
}

#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(what_would_have_to_be_waited_for_is_refused),
        IN_A_FOLDER(what_a_killed_writer_left_is_written_over),
        IN_A_FOLDER(what_another_writer_has_under_way_is_left_to_it),
        IN_A_FOLDER(two_outputs_of_one_name_do_not_mix),
        IN_A_FOLDER(a_link_in_the_place_of_the_temporary_is_not_followed),
        IN_A_FOLDER(an_output_can_go_back_to_its_head),
        IN_A_FOLDER(the_first_failure_of_a_long_output_is_the_one_that_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
