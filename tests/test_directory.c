/* SPDX-License-Identifier: MIT */
/* Folders whose reading fails on the way: readdir() is this program's own, and fails when told to.
 */
#define _GNU_SOURCE /* RTLD_NEXT, in older C libraries */
#include <dlfcn.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/directory.h"
#include "base/file.h"
#include "zf/data.h"

#define FILES 5

static int before_failure = -1; /* entries; -1 = it does not fail */

struct dirent *readdir(DIR *directory)
{
    static struct dirent *(*real)(DIR *);

    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, sizeof(long) == 8 ? "readdir" : "readdir64");
    if (before_failure == 0) {
        errno = EIO;
        return NULL;
    }
    before_failure -= before_failure > 0;
    return real(directory);
}

struct place {
    char root[64], folder[80];
};

static void file_of(const struct place *place, int i, char *path, size_t size)
{
    snprintf(path, size, "%s/%d.png", place->folder, i);
}

static int set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    char path[128];

    strcpy(place->root, "/tmp/zf-directory-XXXXXX");
    assert_non_null(mkdtemp(place->root));
    snprintf(place->folder, sizeof place->folder, "%s/class", place->root);
    assert_int_equal(mkdir(place->folder, 0700), 0);
    for (int i = 0; i < FILES; i++) {
        FILE *file;

        file_of(place, i, path, sizeof path);
        file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char path[128];

    before_failure = -1;
    for (int i = 0; i < FILES; i++) {
        file_of(place, i, path, sizeof path);
        unlink(path);
    }
    rmdir(place->folder);
    rmdir(place->root);
    free(place);
    return 0;
}

/* The two dots are entries as well. */
static void a_list_that_breaks_off_is_no_shorter_list(void **state)
{
    const struct place *place = *state;
    struct zf_names names = {0};
    struct zf_error err = {0};

    for (before_failure = 0; before_failure < FILES + 2;) {
        const int kept = before_failure;

        assert_int_equal(zf_directory_list(place->folder, &names, &err), ZF_EIO);
        assert_non_null(strstr(err.message, "class"));
        zf_names_release(&names);
        before_failure = kept + 1;
    }
    before_failure = -1;
    assert_int_equal(zf_directory_list(place->folder, &names, &err), ZF_OK);
    assert_int_equal(names.count, FILES);
    zf_names_release(&names);
}

static void a_data_set_that_breaks_off_is_refused(void **state)
{
    const struct place *place = *state;

    for (int kept = 0; kept < 6; kept++) {
        struct zf_data *data = NULL;
        struct zf_error err = {0};

        before_failure = kept;
        assert_int_equal(zf_data_open(place->root, &data, &err), ZF_EIO);
        assert_null(data);
    }
}

static void a_directory_without_a_name_is_refused(void **state)
{
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_directory_make("", &err), ZF_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_that_breaks_off_is_no_shorter_list, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_data_set_that_breaks_off_is_refused, set_up, tear_down),
        cmocka_unit_test(a_directory_without_a_name_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
