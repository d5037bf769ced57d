// What a user can read or be read: the accessible texts of all that is visible in a window and its sheets.
#pragma once

#include <QStringList>

class QWidget;

namespace foundry {

// Names, values and descriptions, from the window's tree and from the sheets in front of it.
QStringList spoken(QWidget *window);

// The first visible label with one of these words whose text does not fit it, or that something hides; empty: none.
QString cutOff(QWidget *window, const QStringList &words);

} // namespace foundry
