#include "views/settings/settingssheet.h"

#include <QBoxLayout>
#include <QCheckBox>
#include <QComboBox>

namespace foundry::views {

SettingsSheet::SettingsSheet(ThemeProvider *theme, bool stopHostWithWindow, QWidget *parent)
    : Sheet(theme, tr("Settings"), 480, parent)
{
    auto *appearance = new QComboBox;
    const Colors &c = theme->colors();
    appearance->addItem(theme->icons().icon(Icon::Monitor, c.textMuted), tr("As the desktop"), int(ThemeChoice::System));
    appearance->addItem(theme->icons().icon(Icon::Sun, c.textMuted), tr("Light"), int(ThemeChoice::Light));
    appearance->addItem(theme->icons().icon(Icon::Moon, c.textMuted), tr("Dark"), int(ThemeChoice::Dark));
    appearance->setCurrentIndex(appearance->findData(int(theme->choice())));
    addField(tr("Appearance"), appearance);
    connect(appearance, &QComboBox::activated, this, [this, appearance] {
        Q_EMIT themeChosen(ThemeChoice(appearance->currentData().toInt()));
    });

    auto *stop = new QCheckBox(tr("Stop the host when the window closes and no agent works"));
    stop->setChecked(stopHostWithWindow);
    content()->addWidget(stop);
    connect(stop, &QCheckBox::toggled, this, &SettingsSheet::stopHostChosen);
    auto *about = new Label(theme, TextStyle::Small, &Colors::textFaint,
        tr("Otherwise the host goes on working, and tasks with it. Foundry Workbench %1.")
            .arg(QStringLiteral(FOUNDRY_VERSION)));
    about->setWordWrap(true);
    content()->addWidget(about);

    auto *close = new Button(theme, tr("Close"), ButtonLook::Primary);
    addButton(close);
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    appearance->setFocus();
}

} // namespace foundry::views
