/** What is exported? The traced network, its parameters, and what in it follows the batch size. */
@NullMarked
package org.nni4j.export.network;

import org.jspecify.annotations.NullMarked;
