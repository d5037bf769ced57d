// What the runner says of itself. It is no model, and says so.
#pragma once

#include <QString>
#include <QStringList>

namespace foundry::runner {

QString helpText();
QString freeTextAnswer();
QString unknownCommandText(const QStringList &lines);

} // namespace foundry::runner
