// File names between git (bytes) and us (text that fits JSON). A name in UTF-8 is itself. Any other name, and any that
// begins with a quotation mark, is written as git quotes it: "caf\351.txt". Both ways without loss. Pure functions.
#pragma once

#include <QByteArray>
#include <QString>

namespace foundry::backend {

QString pathFromGit(const QByteArray &bytes);
QByteArray pathToGit(const QString &path);

} // namespace foundry::backend
