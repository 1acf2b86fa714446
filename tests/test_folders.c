/* SPDX-License-Identifier: MIT */
/* Folders as people have them: what is a picture, what is a class, and what is said of the rest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "base/file.h"
#include "data/files.h"
#include "data/imagenet.h"
#include "data/names.h"
#include "data_fixture.h"

static void touch(void **state, const char *name, const void *bytes, size_t size)
{
    const char *path = fixture_path(state, name);
    char folder[FIXTURE_PATH * 2];

    snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    assert_int_equal(zf_directory_make(folder, NULL), ZF_OK);
    fixture_write(path, bytes, size);
}

/* One of the notes has both words. */
static void expect_note(const struct zf_data *data, const char *word, const char *another)
{
    for (int64_t k = 0; k < zf_data_note_count(data); k++) {
        if (strstr(zf_data_note(data, k), word) && strstr(zf_data_note(data, k), another))
            return;
    }
    fail_msg("no note of '%s' and '%s' among %d, the first: %s", word, another,
             (int)zf_data_note_count(data),
             zf_data_note_count(data) > 0 ? zf_data_note(data, 0) : "none");
}

static void leftovers_of_other_programs_are_nobodys_class_or_picture(void **state)
{
    static const char *const left[] = {
        "__MACOSX/a/._1.png",
        "set/__MACOSX/ant/._0.png",
        "set/@eaDir/0.jpg",
        "set/ant/@eaDir/0.png",
        "set/ant/Thumbs.db",
        "set/ant/THUMBS.DB",
        "set/ant/SYNOPHOTO_THUMB_M.jpg",
        "set/$RECYCLE.BIN/x.png",
        "set/System Volume Information/x.png",
        "set/#recycle/x.png",
        "set/.ipynb_checkpoints/x.png",
        "set/ant/.ipynb_checkpoints/0-checkpoint.png",
        "set/.git/x.png",
        "set/CVS/x.png",
        "set/ant/desktop.ini",
        "set/ant/._0.png",
        "set/.DS_Store",
        "set/lost+found/x.png",
        "set/@Recycle/x.png",
        "set/ant/Icon\r",
        "set/FOUND.000/x.png",
        "set/node_modules/x.png",
        "set/Network Trash Folder/x.png",
        "set/ant/~$0.png",
        "set/ant/0.png~",
    };
    struct zf_data *data;

    fixture_folder(state, "set", 2);
    for (size_t i = 0; i < sizeof left / sizeof left[0]; i++)
        fixture_picture(fixture_path(state, left[i]), (int)i);
    data = fixture_open(fixture_path(state, "set"));
    assert_int_equal(zf_data_class_count(data), 3);
    assert_int_equal(zf_data_count(data), 6);
    assert_int_equal(zf_data_note_count(data), 0);
    zf_data_free(&data);
}

static void pictures_are_told_by_ending_in_any_case_or_else_by_content(void **state)
{
    static const char *const used[] = {"a.JPG",    "a.jfif",     "a.Jpe",  "a.DIB",
                                       "a.pbm",    "a.PFM",      "a.MPO",  "a.apng",
                                       "noending", "IMG_0001.1", "b.heic", "c.avif"};
    static const char heic[] = "\0\0\0\x18"
                               "ftypheic\0\0\0\0mif1heic and so on";
    struct zf_data *data;

    for (size_t i = 0; i < sizeof used / sizeof used[0]; i++) {
        char name[64];

        snprintf(name, sizeof name, "set/x/%s", used[i]);
        fixture_picture(fixture_path(state, name), (int)i); /* a PNG, whatever it is called */
    }
    touch(state, "set/x/d.HEIC", heic, sizeof heic - 1);
    touch(state, "set/x/e.heic", heic, 20); /* not even its first box is there */
    touch(state, "set/x/f.heic", heic, 12);
    touch(state, "set/x/g.svg", "<svg/>", 6);
    touch(state, "set/x/h.CR2", "II*\0\x10\0\0\0CR", 10); /* its first picture is a thumbnail */
    touch(state, "set/x/i.png.crdownload", "\x89PNG\r\n\x1A\n", 8);
    touch(state, "set/x/notes.txt", "x", 1);
    touch(state, "set/x/labels", "cat\ndog\n", 8);
    fixture_picture(fixture_path(state, "set/x/page.html"), 1);
    data = fixture_open(fixture_path(state, "set"));
    assert_int_equal(zf_data_count(data), sizeof used / sizeof used[0] + 1);
    expect_note(data, "5 files named like a picture", "2 .heic (such as ");
    expect_note(data, "1 .cr2 (", "x/h.CR2");
    expect_note(data, "1 .svg (", "1 .crdownload (");
    zf_data_free(&data);
}

static void classes_without_pictures_stay_classes_and_are_noted(void **state)
{
    struct zf_data *data;

    fixture_folder(state, "set", 1);
    assert_int_equal(mkdir(fixture_path(state, "set/bat"), 0777), 0);
    assert_int_equal(mkdir(fixture_path(state, "set/zebra"), 0777), 0);
    data = fixture_open(fixture_path(state, "set"));
    assert_int_equal(zf_data_class_count(data), 5);
    assert_int_equal(zf_data_count(data), 3);
    assert_string_equal(zf_data_class(data, 1), "bat");
    assert_int_equal(zf_data_label(data, 1), 2); /* a net without labels knows them by number */
    expect_note(data, "2 of the 5 classes", "hold no pictures: bat");
    zf_data_free(&data);
    assert_int_equal(mkdir(fixture_path(state, "none"), 0777), 0);
    assert_int_equal(mkdir(fixture_path(state, "none/a"), 0777), 0);
    fixture_refuse(fixture_path(state, "none"), ZF_EINPUT, "none", "hold no pictures");
    touch(state, "none/a/1.heic", "x", 1);
    fixture_refuse(fixture_path(state, "none"), ZF_EINPUT, "hold no pictures", "1 .heic (");
}

static void train_and_val_are_no_classes(void **state)
{
    struct zf_data *data;

    fixture_folder(state, "set/train", 1);
    fixture_refuse(fixture_path(state, "set"), ZF_EINPUT, "holds only train", "set/train");
    fixture_folder(state, "set/val", 1);
    fixture_refuse(fixture_path(state, "set"), ZF_EINPUT, "train and val", "set/train");
    fixture_picture(fixture_path(state, "set/annotations/1.png"), 1); /* a third changes nothing */
    fixture_refuse(fixture_path(state, "set/"), ZF_EINPUT, "no classes", "set/train");
    fixture_picture(fixture_path(state, "flat/Train/1.png"), 1);
    fixture_picture(fixture_path(state, "flat/Test/1.png"), 1);
    fixture_refuse(fixture_path(state, "flat"), ZF_EINPUT, "Test and Train", "flat/");
    fixture_picture(fixture_path(state, "vehicles/train/steam/1.png"), 1); /* but this one is */
    fixture_picture(fixture_path(state, "vehicles/boat/sail/1.png"), 2);
    data = fixture_open(fixture_path(state, "vehicles"));
    assert_int_equal(zf_data_class_count(data), 2);
    zf_data_free(&data);
}

static void parts_are_told_by_a_word_of_their_name_where_they_hold_the_same(void **state)
{
    struct zf_data *data;

    fixture_folder(state, "set/training_set", 1);
    fixture_folder(state, "set/test_set", 1);
    fixture_refuse(fixture_path(state, "set"), ZF_EINPUT, "test_set and training_set",
                   "no classes");
    fixture_folder(state, "unzipped/seg_train/seg_train", 1); /* into a folder of its own name */
    fixture_folder(state, "unzipped/seg_test/seg_test", 1);
    fixture_refuse(fixture_path(state, "unzipped"), ZF_EINPUT, "seg_test and seg_train",
                   "unzipped/seg_test/seg_test");
    fixture_picture(fixture_path(state, "lab/test_tube/1.png"), 1);
    fixture_picture(fixture_path(state, "lab/train_of_gears/1.png"), 1);
    data = fixture_open(fixture_path(state, "lab"));
    assert_int_equal(zf_data_class_count(data), 2);
    zf_data_free(&data);
}

static void links_that_lead_above_are_not_followed(void **state)
{
    struct zf_data *data;

    fixture_folder(state, "set", 2);
    assert_int_equal(symlink("..", fixture_path(state, "set/ant/up")), 0);
    assert_int_equal(symlink(".", fixture_path(state, "set/self")), 0);
    assert_int_equal(symlink("../..", fixture_path(state, "set/bee/higher")), 0);
    data = fixture_open(fixture_path(state, "set"));
    assert_int_equal(zf_data_class_count(data), 3);
    assert_int_equal(zf_data_count(data), 6);
    zf_data_free(&data);
}

static void two_spellings_of_one_name_are_noted(void **state)
{
    struct zf_data *data;

    fixture_picture(fixture_path(state, "set/Dog/1.png"), 1);
    fixture_picture(fixture_path(state, "set/cat/1.png"), 1);
    fixture_picture(fixture_path(state, "set/dog/1.png"), 1);
    data = fixture_open(fixture_path(state, "set"));
    expect_note(data, "\"Dog\" and \"dog\"", "alone");
    zf_data_free(&data);
    fixture_picture(fixture_path(state, "accents/caf\xC3\xA9/1.png"), 1);
    fixture_picture(fixture_path(state, "accents/cafe\xCC\x81/1.png"), 1);
    data = fixture_open(fixture_path(state, "accents"));
    assert_int_equal(zf_data_class_count(data), 2);
    expect_note(data, "the form of their letters", "accents");
    zf_data_free(&data);
}

static void a_folder_of_pictures_is_a_data_set_without_labels(void **state)
{
    struct zf_data *data;

    for (int i = 0; i < 3; i++) {
        char name[32];

        snprintf(name, sizeof name, "flat/%d.png", i);
        fixture_picture(fixture_path(state, name), i);
    }
    touch(state, "flat/Thumbs.db", "x", 1);
    data = fixture_open(fixture_path(state, "flat"));
    assert_int_equal(zf_data_count(data), 3);
    assert_int_equal(zf_data_class_count(data), 0);
    assert_int_equal(zf_data_label(data, 0), -1);
    assert_string_equal(zf_data_path(data, 2), fixture_path(state, "flat/2.png"));
    zf_data_free(&data);
}

static void what_lies_beside_classes_and_a_single_class_are_noted(void **state)
{
    struct zf_data *data;

    fixture_picture(fixture_path(state, "set/flowers/rose/1.png"), 1);
    fixture_picture(fixture_path(state, "set/flowers/tulip/1.png"), 2);
    fixture_picture(fixture_path(state, "set/cover.png"), 3);
    data = fixture_open(fixture_path(state, "set"));
    assert_int_equal(zf_data_count(data), 2);
    expect_note(data, "1 picture beside the class folders", "cover.png");
    expect_note(data, "of one class, \"flowers\"", "set");
    expect_note(data, "rose, tulip", "set/flowers");
    zf_data_free(&data);
}

static void names_of_any_bytes_are_kept_as_they_are(void **state)
{
    static const char *const names[] = {"set/caf\xC3\xA9/\xFF\xFE.png", "set/line\nbreak/a\tb.png",
                                        "set/ space /\".png"};
    struct zf_picture square = {0};
    struct zf_data *data;

    for (int i = 0; i < 3; i++)
        fixture_picture(fixture_path(state, names[i]), i);
    data = fixture_open(fixture_path(state, "set"));
    assert_int_equal(zf_data_count(data), 3);
    assert_string_equal(zf_data_class(data, 2), "line\nbreak");
    for (int i = 0; i < 3; i++) {
        assert_int_equal(zf_data_square(data, i, ZF_RESIZE_SHORT, 8, &square, NULL), ZF_OK);
        zf_picture_release(&square);
    }
    zf_data_free(&data);
}

static void an_accent_is_the_same_written_in_one_character_or_two(void **state)
{
    static const char composed[] = "caf\xC3\xA9", apart[] = "cafe\xCC\x81";
    const char *labels[] = {"ant", composed};
    struct zf_error err = {0};
    struct zf_net *net = fixture_net(16, 18, 2);
    struct zf_data *data;

    assert_true(zf_names_equal(composed, apart));
    assert_false(zf_names_equal(composed, "cafe"));
    assert_false(zf_names_equal("\xFF", "\xFE"));
    assert_true(zf_names_equal("\xFF", "\xFF"));
    fixture_picture(fixture_path(state, "set/cafe\xCC\x81/1.png"), 1);
    fixture_picture(fixture_path(state, "set/ant/1.png"), 2);
    data = fixture_open(fixture_path(state, "set"));
    assert_int_equal(zf_net_set_labels(net, labels, &err), ZF_OK);
    assert_int_equal(zf_data_match(data, net, &err), ZF_OK);
    assert_string_equal(zf_data_class(data, zf_data_label(data, 1)), composed);
    zf_data_free(&data);
    zf_net_free(&net);
}

/* Those of the folders that everybody has, known from their names. */
static void imagenets_numbers_are_classes_of_its_nets(void **state)
{
    char name[ZF_IMAGENET_NAME];
    int64_t known = 0;
    bool named = false;
    struct zf_error err = {0};

    (void)state;
    assert_int_equal(zf_imagenet_index("n01440764"), 0);
    assert_int_equal(zf_imagenet_index("n01443537"), 1);
    assert_int_equal(zf_imagenet_index("n02123045"), 281);
    assert_int_equal(zf_imagenet_index("n15075141"), 999);
    assert_int_equal(zf_imagenet_index("n01440765"), -1);
    assert_int_equal(zf_imagenet_index("n1440764"), -1);
    for (int64_t k = 0; zf_imagenet_name(k, name); k++)
        known += strlen(name) > 1;
    assert_int_equal(known, 1000);
    assert_true(zf_imagenet_name(281, name));
    assert_string_equal(name, "tabby");
    for (int outputs = 999; outputs <= 1002; outputs++) {
        const bool fits = outputs == 1000 || outputs == 1001;
        struct zf_net *net = fixture_net(4, 4, outputs);

        assert_int_equal(zf_imagenet_output(net, "n02123045"), fits ? outputs - 1000 + 281 : -1);
        assert_int_equal(zf_net_name_imagenet(net, &named, &err), ZF_OK);
        assert_true(named == fits);
        if (fits) {
            assert_string_equal(zf_net_label(net, outputs - 1000 + 281), "tabby");
            assert_int_equal(zf_imagenet_output(net, "n02123045"), outputs - 1000 + 281);
        }
        assert_int_equal(zf_net_name_imagenet(net, &named, &err), ZF_OK);
        assert_false(named); /* it has labels now, or does not fit */
        zf_net_free(&net);
    }
}

static void a_split_is_the_same_again_and_holds_some_of_each_class(void **state)
{
    int64_t per_class[3] = {0};
    struct zf_error err = {0};
    struct zf_data *whole = fixture_open(fixture_folder(state, "set", 10)), *train, *val, *again,
                   *other;
    bool differs = false;

    assert_int_equal(zf_data_split(whole, 0.2, 7, &train, &val, &err), ZF_OK);
    assert_int_equal(zf_data_count(train), 24);
    assert_int_equal(zf_data_count(val), 6);
    for (int64_t i = 0; i < 6; i++) {
        per_class[zf_data_label(val, i)]++;
        for (int64_t k = 0; k < 24; k++)
            assert_string_not_equal(zf_data_path(val, i), zf_data_path(train, k));
    }
    assert_int_equal(per_class[0], 2);
    assert_int_equal(per_class[2], 2);
    zf_data_free(&train);
    assert_int_equal(zf_data_split(whole, 0.2, 7, &train, &again, &err), ZF_OK);
    for (int64_t i = 0; i < 6; i++)
        assert_string_equal(zf_data_path(val, i), zf_data_path(again, i));
    zf_data_free(&train);
    assert_int_equal(zf_data_split(whole, 0.2, 8, &train, &other, &err), ZF_OK);
    for (int64_t i = 0; i < 6; i++)
        differs = differs || strcmp(zf_data_path(val, i), zf_data_path(other, i)) != 0;
    assert_true(differs);
    zf_data_free(&train);
    zf_data_free(&val);
    zf_data_free(&again);
    zf_data_free(&other);
    assert_int_equal(zf_data_split(whole, 1.0, 7, &train, &val, &err), ZF_EINVAL);
    zf_data_free(&whole);
}

static void a_split_never_takes_all_of_a_class_and_some_where_it_can(void **state)
{
    struct zf_error err = {0};
    struct zf_data *whole, *train, *val;

    fixture_picture(fixture_path(state, "set/one/1.png"), 1);
    whole = fixture_open(fixture_path(state, "set"));
    assert_int_equal(zf_data_split(whole, 0.5, 1, &train, &val, &err), ZF_EINPUT);
    zf_data_free(&whole);
    fixture_picture(fixture_path(state, "set/two/1.png"), 2);
    fixture_picture(fixture_path(state, "set/two/2.png"), 3);
    whole = fixture_open(fixture_path(state, "set"));
    for (int percent = 1; percent < 100; percent += 49) {
        assert_int_equal(zf_data_split(whole, percent / 100.0, 1, &train, &val, &err), ZF_OK);
        assert_int_equal(zf_data_count(train), 2);
        assert_int_equal(zf_data_count(val), 1);
        assert_int_equal(zf_data_label(val, 0), 1);
        zf_data_free(&train);
        zf_data_free(&val);
    }
    zf_data_free(&whole);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(leftovers_of_other_programs_are_nobodys_class_or_picture),
        TEST(pictures_are_told_by_ending_in_any_case_or_else_by_content),
        TEST(classes_without_pictures_stay_classes_and_are_noted),
        TEST(train_and_val_are_no_classes),
        TEST(parts_are_told_by_a_word_of_their_name_where_they_hold_the_same),
        TEST(links_that_lead_above_are_not_followed),
        TEST(two_spellings_of_one_name_are_noted),
        TEST(a_folder_of_pictures_is_a_data_set_without_labels),
        TEST(what_lies_beside_classes_and_a_single_class_are_noted),
        TEST(names_of_any_bytes_are_kept_as_they_are),
        TEST(an_accent_is_the_same_written_in_one_character_or_two),
        TEST(imagenets_numbers_are_classes_of_its_nets),
        TEST(a_split_is_the_same_again_and_holds_some_of_each_class),
        TEST(a_split_never_takes_all_of_a_class_and_some_where_it_can),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
