// How this project's tests are run. Looks at file names in the root, reads package.json and a Makefile; starts nothing.
#pragma once

#include <QString>
#include <QStringList>

namespace foundry::runner {

struct DetectedTest {
    QStringList command; // empty: none was found
    QString why;         // what it was recognised by
};

DetectedTest detectTest(const QString &root);
// What is looked for, for people.
QString testSourcesText();

} // namespace foundry::runner
