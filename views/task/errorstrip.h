// A failure said in place: cause, what to do, one button when there is something to press, dismiss. GUI thread.
#pragma once

#include "models/types/error.h"

#include <QWidget>

namespace foundry::views {

class Button;
class IconButton;
class IconLabel;
class Label;
class Surface;
class ThemeProvider;

class ErrorStrip : public QWidget {
    Q_OBJECT
public:
    explicit ErrorStrip(ThemeProvider *theme, QWidget *parent = nullptr);

    // `key` says what it is about, so that it goes away with its cause. `actionLabel` empty: no button.
    void show(const QString &key, const Error &error, const QString &actionLabel = {});
    // The same, for what is no failure.
    void showNotice(const QString &key, const QString &title, const QString &detail, const QString &actionLabel);
    // Why the button cannot be pressed now; empty: it can.
    void setActionBlocked(const QString &reason);
    void clear(const QString &key);
    void clearAll();
    QString key() const { return m_key; }

Q_SIGNALS:
    void actionTriggered(const QString &key);

private:
    void present(const QString &key, const QString &title, const QString &detail, const QString &actionLabel, bool error);

    QString m_key;
    QString m_dismissed; // its key and text: not shown again for the same
    Surface *m_card;
    IconLabel *m_icon;
    Label *m_title;
    Label *m_detail;
    Button *m_action;
    IconButton *m_dismiss;
};

} // namespace foundry::views
