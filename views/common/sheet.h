// A window-modal sheet: title, content, and a row of buttons with a quiet sentence at its left. Opened with open(), closed
// by Escape; it deletes itself when it is closed. GUI thread.
#pragma once

#include "views/common/controls.h"

#include <QDialog>

class QHBoxLayout;
class QVBoxLayout;

namespace foundry::views {

class Sheet : public QDialog {
    Q_OBJECT
public:
    Sheet(ThemeProvider *theme, const QString &title, int width, QWidget *parent);

    // Content goes here, top to bottom.
    QVBoxLayout *content() const { return m_content; }
    // Buttons go at the right, in the order they are added.
    void addButton(QPushButton *button);
    void setNote(const QString &note, ColorToken color = &Colors::textFaint);

protected:
    ThemeProvider *theme() const { return m_theme; }
    void paintEvent(QPaintEvent *event) override;
    // A caption above a field, and the field's accessible name.
    void addField(const QString &caption, QWidget *field, QVBoxLayout *into = nullptr);

private:
    ThemeProvider *m_theme;
    QVBoxLayout *m_content;
    QHBoxLayout *m_buttons;
    Label *m_note;
};

} // namespace foundry::views
