/* SPDX-License-Identifier: MIT */
#include "learn/classifier.h"

#include <string.h>

static const struct zf_classifier_type *const classifiers[] = {
    [ZF_CLASSIFIER_SOFTMAX] = &zf_classifier_softmax,
    [ZF_CLASSIFIER_SVM] = &zf_classifier_svm,
};

const struct zf_classifier_type *zf_classifier_at(int classifier)
{
    return classifier >= 0 && (size_t)classifier < ZF_COUNT(classifiers) ? classifiers[classifier]
                                                                         : NULL;
}

const char *zf_classifier_name(int classifier)
{
    const struct zf_classifier_type *type = zf_classifier_at(classifier);

    return type ? type->name : NULL;
}

enum zf_status zf_classifier_find(const char *name, enum zf_classifier *out, struct zf_error *err)
{
    for (int i = 0; zf_classifier_name(i); i++) {
        if (strcmp(name, zf_classifier_name(i)) == 0) {
            *out = (enum zf_classifier)i;
            return ZF_OK;
        }
    }
    return zf_fail(err, ZF_EINVAL, "classifier takes softmax or svm, not '%s'", name);
}
