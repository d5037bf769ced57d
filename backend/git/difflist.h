// `git diff… --raw --numstat -z` as values. Pure functions. A list that was cut off gives what is whole.
#pragma once

#include "models/types/changes.h"

#include <QByteArray>
#include <QList>

namespace foundry::backend {

QList<FileChange> parseDiffList(const QByteArray &listed, ChangeScope scope);

// `git ls-files -z`: names as git has them.
QList<QByteArray> parseNameList(const QByteArray &listed);

QString changeId(ChangeScope scope, const QString &path);

} // namespace foundry::backend
