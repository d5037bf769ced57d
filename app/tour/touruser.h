// What a user does, as events posted to real widgets: clicks, keys, text. They are handled in the turns of the event loop
// that follow, as those of a display would be. GUI thread.
#pragma once

#include <QPoint>
#include <QString>
#include <QWidget>

namespace foundry::app::touruser {

// Posted to the widget or its viewport at this place.
void click(QWidget *widget, const QPoint &at);
void click(QWidget *widget); // in its middle
void doubleClick(QWidget *widget, const QPoint &at);
void press(QWidget *widget, Qt::Key key, Qt::KeyboardModifiers modifiers = Qt::NoModifier);
// One key press for each character, each in a turn of its own; then `last`, when it is one.
void type(QWidget *widget, const QString &text, Qt::Key last = Qt::Key_unknown);

// The visible child of this type, by accessible name when one is given; null when there is none.
template <class T>
T *find(QWidget *window, const QString &accessibleName = {})
{
    for (T *candidate : window->findChildren<T *>()) {
        if (candidate->isVisible() && (accessibleName.isEmpty() || candidate->accessibleName() == accessibleName))
            return candidate;
    }
    return nullptr;
}

} // namespace foundry::app::touruser
