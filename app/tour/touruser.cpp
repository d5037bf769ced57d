#include "app/tour/touruser.h"

#include <QCoreApplication>
#include <QKeyEvent>
#include <QMouseEvent>
#include <QTimer>

namespace foundry::app::touruser {

namespace {

void postMouse(QWidget *widget, QEvent::Type type, const QPoint &at, Qt::MouseButtons held)
{
    const QPointF local(at);
    const QPointF global = widget->mapToGlobal(local);
    QCoreApplication::postEvent(
        widget, new QMouseEvent(type, local, global, type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton, held, Qt::NoModifier));
}

void postKey(QWidget *widget, int key, Qt::KeyboardModifiers modifiers, const QString &text)
{
    QCoreApplication::postEvent(widget, new QKeyEvent(QEvent::KeyPress, key, modifiers, text));
    QCoreApplication::postEvent(widget, new QKeyEvent(QEvent::KeyRelease, key, modifiers, text));
}

} // namespace

void click(QWidget *widget, const QPoint &at)
{
    postMouse(widget, QEvent::MouseMove, at, Qt::NoButton);
    postMouse(widget, QEvent::MouseButtonPress, at, Qt::LeftButton);
    postMouse(widget, QEvent::MouseButtonRelease, at, Qt::NoButton);
}

void click(QWidget *widget)
{
    click(widget, widget->rect().center());
}

void doubleClick(QWidget *widget, const QPoint &at)
{
    click(widget, at);
    postMouse(widget, QEvent::MouseButtonDblClick, at, Qt::LeftButton);
    postMouse(widget, QEvent::MouseButtonRelease, at, Qt::NoButton);
}

void press(QWidget *widget, Qt::Key key, Qt::KeyboardModifiers modifiers)
{
    postKey(widget, key, modifiers, key == Qt::Key_Return || key == Qt::Key_Enter ? QStringLiteral("\r") : QString());
}

void type(QWidget *widget, const QString &text, Qt::Key last)
{
    // Ends with the widget.
    auto *next = new QTimer(widget);
    QObject::connect(next, &QTimer::timeout, widget, [widget, next, text, last, at = qsizetype(0)]() mutable {
        if (at == text.size()) {
            next->deleteLater();
            next->stop();
            if (last != Qt::Key_unknown)
                press(widget, last);
            return;
        }
        const QChar c = text.at(at++);
        if (c == QLatin1Char('\n'))
            postKey(widget, Qt::Key_Return, Qt::ShiftModifier, QStringLiteral("\r"));
        else
            postKey(widget, 0, Qt::NoModifier, QString(c));
    });
    next->start(0);
}

} // namespace foundry::app::touruser
